"""Runs an installed fastproxy as a program: its version, then one request through it. Status 0 when both are right.

A script of its own, with nothing but the standard library, so that it runs where only the wheel is installed:
`python smoke.py [PYTHON]`, where PYTHON is the interpreter of that environment, by default this one.
"""

import contextlib
import http.client
import http.server
import json
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

BODY = b"from the node"
START_TIMEOUT_S = 60.0
END_TIMEOUT_S = 30.0


class Node(http.server.BaseHTTPRequestHandler):
    """What stands behind the proxy."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, format: str, *args: object) -> None:
        pass


def configuration(port: int, admin_port: int, node_port: int) -> dict[str, object]:
    """The smallest v1 file that serves something."""
    route = {"prefix": "/", "cluster": "node"}
    manager = {
        "codec_type": "auto",
        "stat_prefix": "smoke",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "filters": [{"type": "decoder", "name": "router", "config": {}}],
    }
    listener = {
        "address": f"tcp://127.0.0.1:{port}",
        "filters": [{"type": "read", "name": "http_connection_manager", "config": manager}],
    }
    cluster = {
        "name": "node",
        "type": "static",
        "connect_timeout_ms": 250,
        "lb_type": "round_robin",
        "hosts": [{"url": f"tcp://127.0.0.1:{node_port}"}],
    }
    admin = {"address": f"tcp://127.0.0.1:{admin_port}", "access_log_path": "/dev/null"}
    return {"listeners": [listener], "cluster_manager": {"clusters": [cluster]}, "admin": admin}


@contextlib.contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Bound meanwhile, so that nobody else is lent them; a server listens there all the same (SO_REUSEADDR)."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for held in sockets:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.bind(("127.0.0.1", 0))
        yield [int(held.getsockname()[1]) for held in sockets]


def get(port: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def get_when_listening(process: subprocess.Popen[bytes], port: int) -> tuple[int, bytes]:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"ended with {process.returncode}"
        with contextlib.suppress(ConnectionRefusedError):
            return get(port)
        time.sleep(0.05)
    raise AssertionError(f"does not listen within {START_TIMEOUT_S:g} s")


def serve_one(command: list[str], node_port: int) -> None:
    """Start it, ask it once, end it in order."""
    with free_ports(2) as (port, admin_port), tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "smoke.json"
        file.write_text(json.dumps(configuration(port, admin_port, node_port)))
        process = subprocess.Popen([*command, "-c", str(file), "--concurrency", "1"], cwd=folder)
        try:
            assert get_when_listening(process, port) == (200, BODY)
        finally:
            process.terminate()
            status = process.wait(END_TIMEOUT_S)
        assert status == 0, f"ended with {status}"


def main(python: str) -> None:
    scripts = Path(python).parent if python != sys.executable else Path(sysconfig.get_path("scripts"))
    command = [str(scripts / "fastproxy")]
    version = subprocess.run([*command, "--version"], check=True, capture_output=True, text=True, timeout=60).stdout
    print(version, end="")
    node = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Node)
    threading.Thread(target=node.serve_forever, daemon=True).start()
    try:
        serve_one(command, node.server_address[1])
    finally:
        node.shutdown()
        node.server_close()
    print("one request served")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else sys.executable)
