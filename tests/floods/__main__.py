"""`python -m tests.floods --idle 20000`: one flood after another at a proxy of its own, with figures.

Not a test: what is printed is for docs/reliability.md. The crowd needs as many descriptors as it has members, in each
of its processes.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.floods.crowd import connect, crowd, pipeline
from tests.support import processes, proxies

GET = b"GET /direct HTTP/1.1\r\nhost: a\r\n\r\n"
HALF = b"GET /direct HTTP/1.1\r\nhost: a\r\nx-"
DIRECT = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}
GAUGE = "http.ingress_http.downstream_cx_active"


def proxy_of(folder: Path, workers: int, backlog: int = 4096) -> proxies.Proxy:
    port, admin_port = processes.free_ports(2)
    configuration = proxies.bootstrap(port, admin_port, proxies.connection_manager([DIRECT]), [])
    configuration["static_resources"]["listeners"][0]["tcp_backlog_size"] = backlog
    return proxies.Proxy(configuration, folder, workers)


def serves(proxy: proxies.Proxy) -> float:
    """How long a new client's request takes; AssertionError when there is no answer."""
    began = time.monotonic()
    with connect(proxy.port, 0) as client:
        client.sendall(GET)
        answer = client.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    return time.monotonic() - began


def standing(proxy: proxies.Proxy, count: int, first: bytes, members: int) -> str:
    """A crowd that stands: memory of the proxy for each of them, and what another client waits meanwhile."""
    before = proxy.pss_kib()
    with crowd(proxy.port, count, first, members) as there:
        processes.wait_until(lambda: proxy.stats()[GAUGE] >= there, "all are accepted", 60)
        each = (proxy.pss_kib() - before) * 1024 / there
        waits_ms = sorted(serves(proxy) * 1000 for _ in range(100))
    processes.wait_until(lambda: proxy.stats()[GAUGE] == 0, "all are gone", 60)
    return f"{there} stand, {each:.0f} bytes each; others wait {waits_ms[50]:.2f} ms (at most {waits_ms[-1]:.1f})"


def pipelined(proxy: proxies.Proxy, count: int) -> str:
    """One client with very many requests at once, and others beside it."""
    with crowd(proxy.port, 1, GET * count) as _:
        waits_ms = sorted(serves(proxy) * 1000 for _ in range(100))
    with connect(proxy.port, 1) as client:
        began = time.monotonic()
        received = pipeline(client, GET, count)
        rate = count / (time.monotonic() - began)
    others = f"others wait {waits_ms[50]:.2f} ms (at most {waits_ms[-1]:.1f})"
    return f"{received} bytes of answers, {rate:.0f} a second; {others}"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.floods", description=__doc__)
    parser.add_argument("--idle", type=int, default=4000, help="connections that stand")
    parser.add_argument("--pipelined", type=int, default=100_000, help="requests of one client")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--members", type=int, default=2, help="processes of the crowd")
    given = parser.parse_args(arguments)
    floods: dict[str, Callable[[proxies.Proxy], str]] = {
        "idle": lambda proxy: standing(proxy, given.idle, b"", given.members),
        "half a head": lambda proxy: standing(proxy, given.idle, HALF, given.members),
        "idle after a request": lambda proxy: standing(proxy, given.idle, GET, given.members),
        "pipelining": lambda proxy: pipelined(proxy, given.pipelined),
    }
    for name, flood in floods.items():
        with tempfile.TemporaryDirectory() as folder:
            proxy = proxy_of(Path(folder), given.workers)
            try:
                print(f"{name}: {flood(proxy)}", flush=True)
            finally:
                proxy.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
