"""Real processes: a supervisor and its workers around the engine of fake_proxy.py."""

import http.client
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from fastproxy.model import Address, Cluster, Host
from tests.support import processes
from tests.support.processes import ROOT, wait_until
from tests.unit import fake_proxy
from tests.unit.test_worker import Lines


class Running:
    """A fake proxy with its ports, as its banner tells them."""

    def __init__(self, output_path: Path, *arguments: str, env: dict[str, str] | None = None) -> None:
        argv = [sys.executable, "-m", "tests.unit.fake_proxy", *arguments]
        self.process = processes.start(argv, output_path=output_path, env={"PYTHONPATH": str(ROOT), **(env or {})})
        self.clients: list[Lines] = []

    def live(self) -> "Running":
        self.process.wait_output("all workers started")
        return self

    def _port(self, pattern: str) -> int:
        found = re.search(pattern, self.process.output)
        assert found, self.process.output
        return int(found[1])

    @property
    def port(self) -> int:
        return self._port(r"listener 'main' on 127\.0\.0\.1:(\d+)")

    def admin(self, path: str) -> tuple[int, str]:
        port = self._port(r"admin on http://127\.0\.0\.1:(\d+)")
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def stat(self, name: str) -> int:
        (line,) = self.admin("/stats?filter=" + quote(f"^{re.escape(name)}$"))[1].splitlines()
        return int(line.rpartition(" ")[2])

    def client(self) -> Lines:
        self.clients.append(Lines(self.port))
        return self.clients[-1]

    def clients_of_all_workers(self, count: int) -> dict[int, Lines]:
        """A client of each worker, by process id."""
        found: dict[int, Lines] = {}
        while len(found) < count:
            client = self.client()
            found.setdefault(int(client.ask("pid")), client)
        return found

    def alone(self) -> bool:
        """Nothing is left of it."""
        return not processes.group_members(self.process.pid)

    def close(self) -> None:
        for client in self.clients:
            client.close()
        self.process.kill()


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def run(*arguments: str, **how) -> Running:
        started.append(Running(tmp_path / f"output-{len(started)}.txt", *arguments, **how))
        return started[-1]

    yield run
    for each in started:
        each.close()


def test_it_serves_and_tells_what_it_does(start):
    proxy = start("--concurrency", "2").live()
    assert proxy.client().ask("hello") == "hello"
    assert proxy.admin("/ready") == (200, "LIVE\n")
    assert proxy.admin("/listeners") == (200, f"main::127.0.0.1:{proxy.port}\n")
    for text in ("[info][main] fastproxy ", "2 workers", "open files per process: "):
        assert text in proxy.process.output
    assert proxy.stat("listener_manager.workers_started") == 1


def test_memory(start, record_property):
    proxy = start().live()
    assert proxy.admin("/ready")[0] == 200
    pids = processes.group_members(proxy.process.pid)
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    pss_kib = [int(found[1]) for text in rollups if (found := re.search(r"^Pss:\s+(\d+)", text, re.MULTILINE))]
    record_property("pss_kib", pss_kib)
    assert len(pss_kib) == 2


def test_a_killed_worker_is_replaced_and_no_other_connection_notices(start):
    proxy = start("--concurrency", "2").live()
    clients = proxy.clients_of_all_workers(2)
    killed, survivor = clients
    os.kill(killed, signal.SIGKILL)
    assert clients[killed].ended()
    wait_until(lambda: proxy.stat("server.workers_replaced") == 1, "the worker is replaced")
    assert clients[survivor].ask("pid") == str(survivor)
    assert killed not in proxy.clients_of_all_workers(2)
    assert clients[survivor].ask("pid") == str(survivor)
    assert f"(process {killed}) ended: killed by SIGKILL" in proxy.process.output


def test_what_waits_in_the_accept_queue_goes_to_the_successor(start):
    proxy = start().live()
    (pid,) = proxy.process.children()
    os.kill(pid, signal.SIGSTOP)
    waiting = proxy.client()
    os.kill(pid, signal.SIGKILL)
    assert waiting.ask("pid") != str(pid)


def test_a_dead_workers_counters_stay_and_its_gauges_end(start):
    proxy = start().live()
    client = proxy.client()
    for line in ("gauge", "gauge", "die"):
        client.ask(line)
    assert client.ended()
    wait_until(lambda: proxy.stat("server.workers_replaced") == 1, "the worker is replaced")
    assert proxy.stat("http.ingress.downstream_cx_total") == 2
    assert proxy.stat("http.ingress.downstream_cx_active") == 0
    proxy.client().ask("gauge")
    assert proxy.stat("http.ingress.downstream_cx_total") == 3
    assert proxy.stat("http.ingress.downstream_cx_active") == 1
    assert "nodes::127.0.0.1:8002::cx_active::1\n" in proxy.admin("/clusters")[1]
    assert "nodes::127.0.0.1:8002::cx_total::3\n" in proxy.admin("/clusters")[1]


def test_a_crash_loop_is_slowed_down_and_overcome(start):
    proxy = start().live()
    while "keeps dying, next one in 1 s" not in proxy.process.output:
        client = proxy.client()
        client.ask("die")
        assert client.ended()
    assert proxy.client().ask("hello") == "hello"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order(start, number):
    proxy = start("--concurrency", "2").live()
    tunnel = proxy.client()
    tunnel.ask("hello")
    proxy.process.send_signal(number)
    assert proxy.process.wait() == 0
    assert tunnel.ended()
    assert proxy.alone()
    assert proxy.process.output.count(": close") == 2
    assert "Traceback" not in proxy.process.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_is_a_drain_too(start, number):
    """Ctrl-C in a terminal, and service managers that signal every process."""
    proxy = start("--concurrency", "2", "--grace", "30").live()
    client = proxy.client()
    client.ask("busy")
    os.killpg(proxy.process.pid, number)
    proxy.process.wait_output("draining")
    assert client.ask("still here") == "still here"
    client.ask("done")
    assert proxy.process.wait() == 0
    assert ") ended: " not in proxy.process.output
    assert proxy.alone()


def test_while_exchanges_finish_it_is_not_ready_and_does_not_listen(start):
    proxy = start("--grace", "30").live()
    client = proxy.client()
    client.ask("busy")
    proxy.process.send_signal(signal.SIGTERM)
    wait_until(lambda: proxy.admin("/ready") == (503, "DRAINING\n"), "it says that it drains")
    wait_until(lambda: refuses(proxy), "new connections are refused")
    assert client.ask("still here") == "still here"
    client.ask("done")
    assert proxy.process.wait() == 0
    assert proxy.alone()


def refuses(proxy: Running) -> bool:
    with suppress(ConnectionRefusedError):
        Lines(proxy.port).close()
        return False
    return True


def test_the_grace_ends(start):
    proxy = start("--grace", "0.1").live()
    client = proxy.client()
    client.ask("busy")
    proxy.process.send_signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    assert client.ended()


def test_a_second_signal_hurries(start):
    proxy = start("--grace", "1000").live()
    client = proxy.client()
    client.ask("busy")
    proxy.process.send_signal(signal.SIGTERM)
    proxy.process.wait_output("draining")
    proxy.process.send_signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    assert client.ended()


def test_a_worker_that_does_not_end_is_killed(start):
    proxy = start("--grace", "0").live()
    (pid,) = proxy.process.children()
    os.kill(pid, signal.SIGSTOP)
    proxy.process.send_signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    assert proxy.alone()
    assert "does not end, killing it" in proxy.process.output


def test_killing_the_supervisor_leaves_no_process(start):
    proxy = start("--concurrency", "2").live()
    tunnel = proxy.client()
    tunnel.ask("hello")
    os.kill(proxy.process.pid, signal.SIGKILL)
    proxy.process.wait()
    wait_until(proxy.alone, "no process is left")
    assert tunnel.ended()


def test_killing_the_supervisor_leaves_no_successor_either(start):
    """A worker born later holds the descriptors of an older one's channel unless the fork closes them."""
    proxy = start("--concurrency", "2").live()
    for killed in proxy.process.children():
        os.kill(killed, signal.SIGKILL)
        wait_until(partial(is_replaced, proxy, killed), "the worker is replaced")
    os.kill(proxy.process.pid, signal.SIGKILL)
    proxy.process.wait()
    wait_until(proxy.alone, "no process is left")


def is_replaced(proxy: Running, killed: int) -> bool:
    children = proxy.process.children()
    return len(children) == 2 and killed not in children


def test_a_port_in_use(start):
    first = start("--concurrency", "2").live()
    second = start("--concurrency", "2", "--port", str(first.port))
    assert second.process.wait() == 1
    assert second.process.output == (
        f"fake.json: listener 'main': tcp://127.0.0.1:{first.port}: "
        "address already in use; end the process that listens there or choose another port\n"
    )


def test_a_data_plane_that_cannot_be_built_ends_the_start(start):
    proxy = start("--concurrency", "2", env={"FAKE_PROXY_FAILS": "1"})
    assert proxy.process.wait() == 1
    assert "the data plane cannot be built" in proxy.process.output
    assert "Traceback" not in proxy.process.output
    assert proxy.alone()


def test_sigusr1_reopens_logs(start):
    proxy = start("--concurrency", "2").live()
    proxy.process.send_signal(signal.SIGUSR1)
    wait_until(lambda: proxy.process.output.count(": reopen") == 2, "both workers reopen")
    assert proxy.client().ask("hello") == "hello"


def reloaded(proxy: Running) -> bool:
    """Have it read its file again; whether that is in use now."""
    before = proxy.process.output.count("[reload]")
    proxy.process.send_signal(signal.SIGHUP)

    def outcomes() -> list[bool]:
        lines = [line for line in proxy.process.output.splitlines() if "[reload]" in line][before:]
        return [" is in use" in line for line in lines if " is in use" in line or " stays in use" in line]

    wait_until(outcomes, lambda: f"the reload ends: {proxy.process.output}")
    return outcomes()[0]


def with_clusters(*names: str) -> bytes:
    clusters = tuple(Cluster(name, hosts=(Host(Address("127.0.0.1", 5)),)) for name in names)
    return fake_proxy.CODEC.encode(replace(fake_proxy.configuration(0, []), clusters=clusters))


def test_sighup_has_every_worker_use_the_file_as_it_is_now(start, tmp_path):
    file = tmp_path / "model"
    proxy = start("--concurrency", "2", "--file", str(file)).live()
    clients = proxy.clients_of_all_workers(2)
    file.write_bytes(with_clusters("new"))
    assert reloaded(proxy)
    for pid, client in clients.items():
        wait_until(partial(uses, client, "{'new': ['127.0.0.1:5']}"), "the new configuration")
        assert client.ask("pid") == str(pid)
    assert "[warning][reload] a warning of the file" in proxy.process.output
    assert proxy.stat("server.config_generation") == 2
    assert proxy.stat("cluster_manager.cluster_added") == 2
    assert proxy.stat("cluster_manager.cluster_removed") == 1
    assert "new::127.0.0.1:5::" in proxy.admin("/clusters")[1]
    os.kill(next(iter(clients)), signal.SIGKILL)
    wait_until(lambda: proxy.stat("server.workers_replaced") == 1, "the worker is replaced")
    for client in proxy.clients_of_all_workers(2).values():
        assert client.ask("hosts") == "{'new': ['127.0.0.1:5']}"


def uses(client: Lines, hosts: str) -> bool:
    return client.ask("hosts") == hosts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"fake.json:3:4: a: wrong", "[error][reload] fake.json:3:4: a: wrong\n"),
        (with_clusters("refused by workers"), "cannot use the configuration: FastproxyError: this configuration"),
    ],
    ids=["file", "workers"],
)
def test_what_cannot_be_used_changes_nothing(start, tmp_path, content, message):
    file = tmp_path / "model"
    proxy = start("--concurrency", "2", "--file", str(file)).live()
    before = proxy.client().ask("hosts")
    file.write_bytes(content)
    assert not reloaded(proxy)
    assert message in proxy.process.output
    assert proxy.stat("server.config_reload_failure") == 1
    assert proxy.stat("server.config_last_reload_failed") == 1
    assert proxy.client().ask("hosts") == before
    file.write_bytes(with_clusters("right"))
    assert reloaded(proxy)
    assert proxy.stat("server.config_last_reload_failed") == 0


def test_the_end_does_not_wait_for_a_reload(start, tmp_path):
    os.mkfifo(tmp_path / "model")  # opening it waits for somebody who writes
    proxy = start("--file", str(tmp_path / "model")).live()
    proxy.process.send_signal(signal.SIGHUP)
    proxy.process.wait_output("reading the configuration again")
    proxy.process.send_signal(signal.SIGTERM)
    assert proxy.process.wait() == 0
    wait_until(proxy.alone, "nothing of it is left")


def test_dns_names_become_hosts_before_the_first_request_and_again_later(start):
    proxy = start("--dns", "localhost", "--dns", "name.invalid").live()
    assert "'dns localhost': ['127.0.0.1:80']" in proxy.client().ask("hosts").replace("[::1]", "127.0.0.1")
    scope = "cluster.dns localhost"
    wait_until(lambda: proxy.stat(f"{scope}.update_success") >= 3, "it is resolved again")
    proxy.process.wait_output("cannot resolve 'name.invalid'")
    assert proxy.stat(f"{scope}.membership_change") == 1
    assert proxy.stat("cluster.dns name.invalid.membership_total") == 0
    assert proxy.process.output.count("cannot resolve 'name.invalid'") == 1
