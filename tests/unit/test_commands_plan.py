"""`fastproxy plan`: what it prints, and with which status."""

import json

import pytest

from fastproxy.commands import plan
from tests.unit.config_files import v3_cluster, v3_file, v3_manager, v3_route


@pytest.fixture
def write(tmp_path):
    def write(document, name: str) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(document, indent=1))
        return str(path)

    return write


def other():
    document = v3_file()
    cluster = v3_cluster(document)
    cluster["lb_policy"] = "RING_HASH"
    cluster["load_assignment"]["endpoints"][0]["lb_endpoints"].append(
        {"endpoint": {"address": {"socket_address": {"address": "127.0.0.9", "port_value": 9}}}}
    )
    v3_route(document)["route"]["timeout"] = "7s"
    return document


def hashing():
    document = v3_file()
    v3_cluster(document)["lb_policy"] = "RING_HASH"
    return document


def test_nothing(write, capsys):
    file = write(v3_file(), "a.json")
    assert plan.run([file, file]) == 0
    assert capsys.readouterr().out == "nothing changes\n"


def test_text(write, capsys):
    assert plan.run([write(hashing(), "a.json"), write(other(), "b.json")]) == 0
    text = capsys.readouterr().out
    assert "~ routes of virtual host" in text
    assert "timeout_s: 7.0" in text
    assert "    + {address: 127.0.0.9:9}" in text
    assert "of the keys move to another host" in text
    assert "127.0.0.9:9: 0.0% > " in text


def test_json(write, capsys):
    assert plan.run([write(hashing(), "a.json"), write(other(), "b.json"), "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    [movement] = answer["movements"]
    assert 0 < movement["moved"] < 1
    assert [change["kind"] for change in answer["routes"]] == ["changed"]


def test_a_file_that_cannot_be_used(write, capsys):
    document = v3_file()
    v3_cluster(document)["lb_policy"] = "NONSENSE"
    wrong = write(document, "wrong.json")
    assert plan.run([write(v3_file(), "a.json"), wrong]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{wrong}:")


def test_nothing_is_made(write, tmp_path):
    document = v3_file()
    log = {"name": "file", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
        "path": str(tmp_path / "new" / "access.log")}}  # fmt: skip
    manager = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["access_log"] = [log]
    file = write(document, "a.json")
    assert plan.run([file, file]) == 0
    assert not (tmp_path / "new").exists()


def test_what_takes_a_restart(write, capsys):
    document = v3_file()
    value = {"session_table_slots": 4096}
    typed = {
        "@type": "type.googleapis.com/xds.type.v3.TypedStruct",
        "type_url": "fastproxy.v1.HttpFilter",
        "value": value,
    }
    v3_manager(document)["http_filters"].insert(0, {"name": "fastproxy", "typed_config": typed})
    assert plan.run([write(v3_file(), "a.json"), write(document, "b.json")]) == 0
    text = capsys.readouterr().out
    assert text == "~ session table\n    session_table_slots: 1048576 > 4096, from the next start on\n"
