"""--user and --group at a real proxy. As root it becomes another user, as anybody else it can only stay who it is."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import processes, proxies
from tests.support.proxies import Json, Worlds

IS_ROOT = os.geteuid() == 0
UID, GID = (12345, 54321) if IS_ROOT else (os.getuid(), os.getgid())
DIRECT = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}
LOGGER = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user may look into, but only its owner write to; those of pytest are closed."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def become(argv: list[str]) -> list[str]:
    return [*argv, "--user", str(UID), "--group", str(GID)]


def configuration(log: Path) -> Json:
    logs = [{"name": "file", "typed_config": {"@type": LOGGER, "path": str(log)}}]
    port, admin_port = processes.free_ports(2)
    manager = proxies.connection_manager([DIRECT], access_log=logs)
    return proxies.bootstrap(port, admin_port, manager, [])


def status_of(pid: int) -> dict[str, list[str]]:
    """/proc/<pid>/status by name (proc(5))."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: rest.split() for name, _, rest in (line.partition(":") for line in lines)}


def test_supervisor_and_workers_are_somebody_else(worlds: Worlds, folder: Path) -> None:
    log = folder / "access.log"
    world = worlds.run_file(configuration(log), [], concurrency=2, around=become)

    def assert_confined() -> None:
        assert len(world.proxy.pids()) == 3
        for pid in world.proxy.pids():
            status = status_of(pid)
            assert status["Uid"] == [str(UID)] * 4
            assert status["Gid"] == [str(GID)] * 4
            assert status["NoNewPrivs"] == ["1"]
            if IS_ROOT:
                assert status["Groups"] == []
                assert {int(status[name][0], 16) for name in ("CapPrm", "CapEff", "CapAmb")} == {0}

    assert_confined()
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    assert client.read_head().status == 200
    processes.wait_until(lambda: "GET / HTTP/1.1" in log.read_text(), "the line is written")
    assert (log.stat().st_uid, log.stat().st_mode & 0o777) == (UID, 0o640)

    victim = world.proxy.process.children()[0]
    os.kill(victim, signal.SIGKILL)
    processes.wait_until(lambda: victim not in world.proxy.pids() and len(world.proxy.pids()) == 3, "a successor")
    processes.wait_until(lambda: world.proxy.stats()["server.workers_replaced"] == 1, "it is counted")
    assert_confined()
    world.proxy.crew = set(world.proxy.pids())


def test_a_reload_that_needs_root_changes_nothing(worlds: Worlds, folder: Path) -> None:
    world = worlds.run_file(configuration(folder / "access.log"), [], around=become)
    os.chmod(world.proxy.file, 0o000 if not IS_ROOT else 0o600)
    assert not world.proxy.hang_up()
    world.proxy.process.wait_output("nothing was changed")
    assert "reader permission" in world.proxy.process.output
    client = world.client() << b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    assert client.read_head().status == 200
