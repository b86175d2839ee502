"""The command: what it prints, what it refuses, and with which status."""

import json
import logging
import os
import socket
from dataclasses import replace

import pytest

from fastproxy import cli, worker
from fastproxy.errors import Problem, Severity
from fastproxy.limits import FileLimit
from fastproxy.model import Address, Configuration, HttpConnectionManager, Listener, RouteConfiguration
from fastproxy.options import Options, parse
from tests.support.processes import free_ports
from tests.unit import fake_proxy


def v1(ports: list[int], header_name: str = "referer") -> dict:
    route = {"prefix": "/", "cluster": "nodes", "hash_policy": {"header_name": header_name}}
    manager = {
        "codec_type": "auto",
        "stat_prefix": "ingress_http",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "filters": [{"name": "router", "config": {}}],
    }
    listener = {
        "name": "main",
        "address": f"tcp://127.0.0.1:{ports[0]}",
        "filters": [{"name": "http_connection_manager", "config": manager}],
    }
    cluster = {"name": "nodes", "connect_timeout_ms": 250, "type": "static", "lb_type": "ring_hash"}
    return {
        "listeners": [listener],
        "admin": {"access_log_path": "/dev/null", "address": f"tcp://127.0.0.1:{ports[1]}"},
        "cluster_manager": {"clusters": [{**cluster, "hosts": [{"url": "tcp://127.0.0.1:8002"}]}]},
    }


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """The fake data plane, and logging as it was."""
    monkeypatch.setattr(worker, "load_data_plane", lambda: fake_proxy.build)
    monkeypatch.setattr(logging.root, "handlers", list(logging.root.handlers))
    monkeypatch.setattr(logging.root, "level", logging.root.level)
    monkeypatch.setattr(logging, "raiseExceptions", logging.raiseExceptions)


@pytest.fixture
def config_file(tmp_path):
    """`config_file(contents)` is the path of such a file."""

    def write(contents: dict) -> str:
        path = tmp_path / "envoy.json"
        path.write_text(json.dumps(contents))
        return str(path)

    return write


@pytest.fixture
def start():
    """`cli.start` whose sockets are closed after the test."""
    started = []

    def run(*arguments: str):
        started.append(cli.start(parse(arguments)))
        return started[-1]

    yield run
    for supervisor in started:
        supervisor.close_sockets()


def test_a_file_that_is_not_there(capsys, tmp_path):
    path = tmp_path / "none.json"
    assert cli.main(["-c", str(path)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{path}: ")
    assert error.count("\n") == 1


def test_every_mistake_of_a_file_is_a_line(capsys, config_file):
    path = config_file({"listeners": []})
    assert cli.main(["-c", path]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith(f"{path}:1:") for line in lines)


@pytest.mark.parametrize("taken", ["listener 'main'", "admin"])
def test_a_port_in_use(capsys, config_file, taken):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ports = [port, free_ports(1)[0]] if taken != "admin" else [free_ports(1)[0], port]
        path = config_file(v1(ports))
        assert cli.main(["-c", path]) == 1
    assert capsys.readouterr().err.startswith(f"{path}: {taken}: tcp://127.0.0.1:{port}: address already in use")


def test_the_banner(start, config_file, caplog):
    caplog.set_level("INFO")
    port, admin_port = free_ports(2)
    path = config_file(v1([port, admin_port]))
    start("-c", path, "--concurrency", "2")
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0].startswith(f"fastproxy 0.1.0, configuration {path}, process ")
    assert lines[1:3] == [
        f"listener 'main' on 127.0.0.1:{port}, 2 workers",
        f"admin on http://127.0.0.1:{admin_port}",
    ]
    assert lines[3].startswith("open files per process: ")


def test_warnings_of_the_file_are_shown(start, config_file, capsys):
    start("-c", config_file(v1(free_ports(2), header_name="referrer")))
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert ".hash_policy.header_name: warning: " in error


def test_a_warning_has_its_place_and_its_code():
    problem = Problem("f.json", 3, 7, "listeners[0]", "odd", Severity.WARNING)
    assert problem.describe() == "f.json:3:7: listeners[0]: warning: odd"
    assert replace(problem, code="FP101").describe() == "f.json:3:7: listeners[0]: warning: odd [FP101]"
    assert replace(problem, severity=Severity.ERROR).describe() == "f.json:3:7: listeners[0]: odd"


def test_validate_says_what_envoy_says(capsys, config_file):
    path = config_file(v1([9002, 9902]))
    assert cli.main(["-c", path, "--mode", "validate"]) == 0
    assert capsys.readouterr() == (f"configuration '{path}' OK\n", "")
    path = config_file({"listeners": []})
    assert cli.main(["-c", path, "--mode", "validate"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert [": warning: " in line for line in printed.err.splitlines()] == [False, False, True]


def test_validate_makes_nothing(config_file, tmp_path):
    document = v1([9002, 9902])
    log = tmp_path / "folder" / "access.log"
    document["listeners"][0]["filters"][0]["config"]["access_log"] = [{"path": str(log)}]
    assert cli.main(["-c", config_file(document), "--mode", "validate"]) == 0
    assert not log.parent.exists()


@pytest.mark.parametrize("mode", ["serve", "validate"])
def test_a_strict_start_refuses_warnings(capsys, config_file, mode):
    path = config_file(v1([9002, 9902], header_name="referrer"))
    assert cli.main(["-c", path, "--strict", "--mode", mode]) == 1
    assert ".hash_policy.header_name: warning: " in capsys.readouterr().err


def test_all_of_the_configuration_on_the_command_line(capsys):
    assert cli.main(["--config-yaml", "static_resources: {clusters: [{}]}", "--mode", "validate"]) == 1
    assert capsys.readouterr().err.startswith("--config-yaml:1:31: static_resources.clusters[0]")


def test_options_without_effect_are_told(capsys, start, config_file):
    start("-c", config_file(v1(free_ports(2))), "--base-id", "3", "--disable-hot-restart")
    error = capsys.readouterr().err
    assert error == "warning: --base-id has no effect here: several fastproxy run on one machine without it\n"


def test_the_address_of_admin_in_a_file(start, config_file, tmp_path, caplog):
    ports = free_ports(2)
    path = tmp_path / "admin"
    supervisor = start("-c", config_file(v1(ports)), "--admin-address-path", str(path))
    assert path.read_text() == f"127.0.0.1:{ports[1]}"
    cli.write_admin_address(supervisor, Options("f", admin_address_path=str(tmp_path)))
    assert f"cannot write the address of admin to {tmp_path}: Is a directory" in caplog.text


def test_a_log_that_cannot_be_opened(capsys, config_file, tmp_path):
    assert cli.main(["-c", config_file(v1([9002, 9902])), "--log-path", str(tmp_path)]) == 1
    assert "Is a directory" in capsys.readouterr().err


def test_a_command_has_its_own_options(capsys, config_file):
    path = config_file(v1([9002, 9902]))
    assert cli.main(["check", path]) == 0
    assert capsys.readouterr().out == f"configuration '{path}' OK\n"


def test_nothing_in_a_file_steers_the_terminal(capsys, tmp_path):
    path = tmp_path / "\x1b[2J.json"
    assert cli.main(["-c", str(path)]) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_service_names_of_the_command_line_win():
    manager = HttpConnectionManager("p", RouteConfiguration(()), service_cluster="file", service_node="file")
    configuration = Configuration((Listener("l", Address("1.1.1.1", 1), manager),))
    served = cli.with_service(configuration, Options("f", service_cluster="given"))
    assert served.listeners[0].manager.service_cluster == "given"
    assert served.listeners[0].manager.service_node == "file"


def test_one_worker_is_one(start, config_file, caplog):
    caplog.set_level("INFO")
    options = parse(["-c", config_file(v1(free_ports(2))), "--concurrency", "1"])
    supervisor = start("-c", options.config_path, "--concurrency", "1")
    caplog.clear()
    cli.show_banner(supervisor, options, FileLimit(1, 1))
    assert "1 worker\n" in caplog.text


def test_standard_streams_that_are_there_stay():
    before = [os.stat(f"/proc/self/fd/{fd}") for fd in (0, 1, 2)]
    cli.hold_standard_streams()
    assert [os.stat(f"/proc/self/fd/{fd}") for fd in (0, 1, 2)] == before
