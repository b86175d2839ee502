"""The command line."""

import os

import pytest

import fastproxy
from fastproxy import options
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
        (["-c", "f", "--mode", "init_only"], "invalid choice: 'init_only'"),
        (["-c", "f", "--v2-config-only"], "--v2-config-only asks for Envoy's v2 API, which is not read"),
        (["-c", "f", "--hot-restart-version"], "asks for hot restart"),
        (["-c", "f", "--restart-epoch", "1"], "--restart-epoch: no running process can be taken over yet"),
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


def test_who_to_be():
    given = parse(["-c", "f", "--user", "www-data", "--group", "33", "--enable-core-dump"])
    assert (given.user, given.group, given.core_dumps, given.notes) == ("www-data", "33", True, ())


def test_version(capsys):
    with pytest.raises(SystemExit) as ended:
        parse(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"fastproxy {fastproxy.__version__}\n"


def test_options_of_envoy_that_have_no_effect():
    """What a process manager written for Envoy passes on; what asks for nothing special is taken in silence."""
    line = "-c f --base-id 1 --restart-epoch 0 --drain-time-s=600 --parent-shutdown-time-s 900 --disable-hot-restart"
    assert parse(line.split()).notes == (
        "--base-id has no effect here: several fastproxy run on one machine without it",
        "--drain-time-s has no effect here: say --shutdown-grace-s",
        "--parent-shutdown-time-s has no effect here: there is no hot restart to tune",
    )


@pytest.mark.parametrize("name", [*options._WITH_VALUE, *options._FLAGS])
def test_each_is_taken(name):
    value = ["1"] if name in options._WITH_VALUE else []
    assert parse(["-c", "f", name, *value]).config_path == "f"


def test_how_a_configuration_is_read():
    found = parse(["--config-yaml", "admin: {}", "--strict", "--mode", "validate", "--allow-unknown-static-fields"])
    assert (found.config_path, found.config_yaml, found.source) == ("", "admin: {}", "--config-yaml")
    assert (found.strict, found.mode, found.allow_unknown) == (True, "validate", True)


def test_the_short_name_of_a_level():
    assert parse(["-c", "f", "-l", "warn"]).log_level == "warning"


def test_help_names_the_commands(capsys):
    with pytest.raises(SystemExit):
        parse(["--help"], "commands: check")
    printed = capsys.readouterr().out
    assert printed.endswith("commands: check\n")
    assert "--base-id" not in printed
