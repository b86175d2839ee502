"""`fastproxy explain`: what it prints for people and for programs, and with which status."""

import json
from pathlib import Path

import pytest

from fastproxy.commands import explain
from tests.unit.config_files import v3_cluster, v3_file, v3_route


@pytest.fixture
def file(tmp_path):
    """A ring of two hosts, hashed on x-user."""
    document = v3_file()
    cluster = v3_cluster(document)
    cluster["lb_policy"] = "RING_HASH"
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"].append(
        {"endpoint": {"address": {"socket_address": {"address": "127.0.0.9", "port_value": 9}}}}
    )
    v3_route(document)["route"]["hash_policy"] = [{"header": {"header_name": "x-user"}}]
    path = tmp_path / "proxy.json"
    path.write_text(json.dumps(document))
    return str(path)


def test_text(file, capsys):
    assert explain.run(["-c", file, "GET http://localhost/a?b", "-H", "x-user: me", "--from", "10.1.2.3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    steps = [line.split()[0] for line in lines]
    assert steps == ["listener", "request", "virtual", "route", "cluster", "hash", "key", "balancer", "node", "if"]
    assert lines[1].endswith("GET http://localhost/a?b from 10.1.2.3")
    assert '"me" > 0x' in lines[5]


def test_limits(file, capsys):
    document = json.loads(Path(file).read_text())
    v3_cluster(document)["circuit_breakers"] = {"thresholds": [{"max_requests": 9}]}
    Path(file).write_text(json.dumps(document))
    assert explain.run(["-c", file, "/"]) == 0
    assert "limit         circuit_breakers of nodes, default priority: 9 requests" in capsys.readouterr().out


def test_json(file, capsys):
    assert explain.run(["-c", file, "/a", "-H", "x-user: me", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["request"] == "GET /a"
    node = found["node"]
    assert explain.run(["-c", file, "/a", "-H", "x-user: me", "--format", "json", "--down", node]) == 0
    assert json.loads(capsys.readouterr().out)["node"] == found["next"][0] != node


def test_without_a_key(file, capsys):
    assert explain.run(["-c", file, "/a"]) == 0
    text = capsys.readouterr().out
    assert 'hash          header "x-user": absent' in text
    assert "key           none: the balancer draws lots" in text
    assert ", or any other" in text


@pytest.mark.parametrize(("target", "words"), [
    ("/?EIO=4&transport=polling&sid=abc", "abc: while it is known, to its node, whatever follows; else all nodes are"),
    ("/?EIO=4&transport=polling", "it goes where the fewest sessions live, which only the running proxy knows"),
])  # fmt: skip
def test_sessions(file, capsys, target, words):
    assert explain.run(["-c", file, target]) == 0
    assert words in capsys.readouterr().out


def test_a_host_without_a_virtual_host(tmp_path, capsys):
    document = v3_file()
    manager = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["route_config"]["virtual_hosts"][0]["domains"] = ["only.example"]
    path = tmp_path / "proxy.json"
    path.write_text(json.dumps(document))
    assert explain.run(["-c", str(path), "http://other.example/"]) == 0
    assert "none has a domain for this host; answer 404" in capsys.readouterr().out


@pytest.mark.parametrize(("more", "words"), [
    (["GET / HTTP/1.1 x y"], "is no request"),
    (["/", "-H", "nonsense"], "is no header"),
    (["/", "--listener", "nowhere"], "there is no listener 'nowhere' with a connection manager"),
    (["/", "--from", "nobody"], "nobody"),
])  # fmt: skip
def test_mistakes(file, capsys, more, words):
    assert explain.run(["-c", file, *more]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err


def test_a_file_that_cannot_be_used(tmp_path, capsys):
    path = tmp_path / "wrong.json"
    path.write_text("{")
    assert explain.run(["-c", str(path), "/"]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:1:")
