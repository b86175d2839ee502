"""The four proxies with configurations that mean the same: one node, HTTP/1.1 kept alive to it, WebSocket allowed.

Each timer that ends a silent node is STALL_S, for each of them. One worker or thread each, so that one pool of
connections serves all clients.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.support import processes
from tests.support.proxies import (
    WEBSOCKET,
    Json,
    bootstrap,
    cluster,
    connection_manager,
    envoy_command,
    route,
)

STALL_S = 0.5

_HAPROXY = """global
  nbthread 1
  maxconn 1000
  tune.bufsize 90000
  tune.http.maxhdr 200
defaults
  mode http
  timeout connect 1s
  timeout client 20s
  timeout server {stall_ms}ms
  timeout tunnel 20s
  http-reuse always
frontend f
  bind 127.0.0.1:{port}
  option disable-h2-upgrade
  default_backend b
backend b
  server s 127.0.0.1:{node}
"""

_NGINX = """worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.err;
events {{ worker_connections 500; }}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
 uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s; large_client_header_buffers 4 64k; proxy_buffer_size 64k;
 proxy_buffers 8 64k; keepalive_requests 100000000;
 map $http_upgrade $connection_upgrade {{ default upgrade; "" ""; }}
 upstream nodes {{ server 127.0.0.1:{node} max_fails=0; keepalive 256; keepalive_requests 100000000; }}
 server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://nodes; proxy_http_version 1.1;
  proxy_set_header Connection $connection_upgrade; proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Host $host; proxy_buffering off; proxy_read_timeout {stall_ms}ms; proxy_next_upstream off; }} }} }}
"""


def configuration(port: int, admin_port: int, node: int) -> Json:
    """For fastproxy and Envoy alike."""
    routes = [route("/", "backend", timeout="0s", idle_timeout=f"{STALL_S}s")]
    manager = connection_manager(routes, upgrade_configs=WEBSOCKET, codec_type="HTTP1")
    return bootstrap(port, admin_port, manager, [cluster("backend", [node])])


def _from_json(command: Callable[[Path], list[str]], port: int, node: int, folder: Path) -> list[str]:
    file = folder / "proxy.json"
    file.write_text(json.dumps(configuration(port, processes.free_port(), node)))
    return command(file)


def _fastproxy(port: int, node: int, folder: Path) -> list[str]:
    return _from_json(
        lambda file: [sys.executable, "-m", "fastproxy", "-c", str(file), "--concurrency", "1"], port, node, folder
    )


def _envoy(port: int, node: int, folder: Path) -> list[str]:
    return _from_json(lambda file: envoy_command(file, 1), port, node, folder)


def _haproxy(port: int, node: int, folder: Path) -> list[str]:
    file = folder / "haproxy.cfg"
    file.write_text(_HAPROXY.format(port=port, node=node, stall_ms=int(STALL_S * 1000)))
    return ["haproxy", "-db", "-f", str(file)]


def _nginx(port: int, node: int, folder: Path) -> list[str]:
    file = folder / "nginx.conf"
    file.write_text(_NGINX.format(port=port, node=node, folder=folder, stall_ms=int(STALL_S * 1000)))
    return ["nginx", "-c", str(file)]


COMMANDS: dict[str, Callable[[int, int, Path], list[str]]] = {
    "fastproxy": _fastproxy,
    "Envoy": _envoy,
    "HAProxy": _haproxy,
    "nginx": _nginx,
}


def start(kind: str, node: int, folder: Path) -> tuple[int, processes.Process]:
    """One of them in front of the node at that port: its own port, and the process."""
    port = processes.free_port()
    process = processes.start(COMMANDS[kind](port, node, folder), output_path=folder / "output.txt", ports=[port])
    process.wait_listening([port])
    return port, process
