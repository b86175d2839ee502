"""`fastproxy check`: what it prints for people and for programs, and with which status."""

import json

import pytest

from fastproxy.commands import check
from fastproxy.errors import Problem, Severity
from tests.unit.config_files import V3_ROUTE_PATH, v3_cluster, v3_file, v3_route


@pytest.fixture
def write(tmp_path):
    """`write(document, name)` is the path of such a file."""

    def write(document, name: str = "proxy.json") -> str:
        path = tmp_path / name
        path.write_text(json.dumps(document, indent=1))
        return str(path)

    return write


def with_warning():
    document = v3_file()
    v3_route(document)["route"]["hash_policy"] = [{"header": {"header_name": "referrer"}}]
    return document


def with_mistake():
    document = v3_file()
    v3_cluster(document)["lb_polcy"] = v3_cluster(document).pop("lb_policy")
    return document


def test_text(write, capsys):
    good, warned, wrong = write(v3_file(), "a.json"), write(with_warning(), "b.json"), write(with_mistake(), "c.json")
    assert check.run([good, warned, wrong]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"configuration '{good}' OK"
    assert lines[1].startswith(f"{warned}:")
    assert lines[1].endswith('write "referer" [FP101]')
    assert lines[2] == f"configuration '{warned}' OK"
    assert lines[3].startswith(f"{wrong}:")
    assert 'did you mean "lb_policy"?' in lines[3]
    assert len(lines) == 4


@pytest.mark.parametrize(("strict", "status"), [([], 0), (["--strict"], 1)])
def test_strict(write, strict, status):
    assert check.run([*strict, write(with_warning())]) == status
    assert check.run([*strict, write(v3_file())]) == 0


def test_json(write, capsys):
    path = write(with_mistake())
    assert check.run(["--format", "json", path]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["refused"]) == (False, [path])
    [problem] = answer["problems"]
    assert problem == {
        "file": path,
        "line": 97,
        "column": 5,
        "path": "static_resources.clusters[0].lb_polcy",
        "severity": "error",
        "code": "FP003",
        "message": "there is no such key in Cluster",
        "fix": 'did you mean "lb_policy"?',
        "docs": "docs/lint/index.md#fp003",
    }


def test_json_of_a_warning(write, capsys):
    path = write(with_warning())
    assert check.run(["--format", "json", path]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["refused"]) == (True, [])
    [problem] = answer["problems"]
    assert problem["path"] == f"{V3_ROUTE_PATH}.route.hash_policy[0].header.header_name"
    assert (problem["severity"], problem["code"], problem["docs"]) == ("warning", "FP101", "docs/lint/fp101.md")


def test_what_is_put_over_a_file(write, capsys):
    over = "static_resources:\n  clusters: [{name: more, typo: 1}]\n"
    assert check.run(["--config-yaml", over, write(v3_file())]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("--config-yaml:2:27: static_resources.clusters[0].typo: there is no such key in Cluster")


def test_nothing_in_a_file_steers_the_terminal(write, capsys):
    assert check.run([write({"\x1b[2J": 1})]) == 1
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("message", "divided"),
    [
        ("wrong; mend it", ("wrong", "mend it")),
        ('"a; b" is wrong; mend it', ('"a; b" is wrong', "mend it")),
        ("wrong", ("wrong", "")),
        ("a;b", ("a;b", "")),
        ('an open " quote; x', ('an open " quote; x', "")),
        ("", ("", "")),
    ],
)
def test_the_advice_of_a_message(message, divided):
    assert check.divided(message) == divided


def test_who_is_refused():
    warning = Problem("f", 1, 1, "", "m", Severity.WARNING)
    assert not check.is_refused([warning], False)
    assert check.is_refused([warning], True)
    assert check.is_refused([Problem("f", 1, 1, "", "m")], False)
    assert not check.is_refused([], True)
