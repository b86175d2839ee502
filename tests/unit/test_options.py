"""The command line."""

import os

import pytest

import fastproxy
from fastproxy.options import Options, parse


def test_only_a_file():
    assert parse(["-c", "envoy.json"]) == Options("envoy.json", len(os.sched_getaffinity(0)))


def test_everything():
    arguments = (
        "--config-path a.yaml --concurrency 3 -l trace --shutdown-grace-s 0.5 --service-cluster c --service-node n"
    )
    assert parse(arguments.split()) == Options("a.yaml", 3, "trace", 0.5, "c", "n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "-c/--config-path"),
        (["-c", "f", "-l", "loud"], "invalid log level specified 'loud'"),
        (["-c", "f", "--concurrency", "0"], "'0' is not a number of at least 1"),
        (["-c", "f", "--concurrency", "two"], "'two' is not a number of at least 1"),
        (["-c", "f", "--shutdown-grace-s", "-1"], "--shutdown-grace-s"),
        (["-c", "f", "--shutdown-grace-s", "nan"], "'nan' is not a number of seconds"),
        (["-c", "f", "--nonsense"], "unrecognized arguments: --nonsense"),
    ],
)
def test_mistakes_end_with_status_1(capsys, arguments, message):
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"fastproxy {fastproxy.__version__}\n"
