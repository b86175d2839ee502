"""`fastproxy explain`: which way a request goes through a configuration, and why."""

import json
import sys
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from fastproxy import config
from fastproxy.errors import FastproxyError
from fastproxy.logs import escape
from fastproxy.model import Cluster, ClusterType, Configuration, HttpConnectionManager, Listener
from fastproxy.options import Parser
from fastproxy.resolver import ClusterResolver, resolve_first
from fastproxy.scopes import host_capacity
from fastproxy.stats import StatsLayout

DEFAULT_FROM = "127.0.0.1"
LOOKUP_S = 5.0


def run(arguments: Sequence[str]) -> int:
    """Exit status 0 when the request could be followed, whatever becomes of it; 1 when it could not."""
    options = _parser().parse_args(arguments)
    try:
        configuration = config.read(options.config_path).configuration
        listener, manager = find_manager(configuration, options)
        method, target = split_request(options.request)
        found = {"listener": listener.name, "request": f"{method} {target}"}
        found |= follow(configuration, listener, manager, head_of(options), options)
    except (FastproxyError, ValueError) as error:
        print("\n".join(map(escape, str(error).splitlines())), file=sys.stderr)
        return 1
    print(json.dumps(found, indent=2) if options.format == "json" else "\n".join(map(escape, as_lines(found))))
    return 0


def follow(
    configuration: Configuration,
    listener: Listener,
    manager: HttpConnectionManager,
    head: bytes,
    options: Namespace,
) -> Mapping[str, Any]:
    """What the data plane, made ready for this configuration, would do; no log is opened, nothing is connected."""
    from fastproxy.explanation import Follower
    from fastproxy.runtime import Runtime

    alone = replace(listener, filter=replace(manager, access_logs=()), filter_chains=())
    resolved = replace(configuration, listeners=(alone,), clusters=tuple(map(with_hosts, configuration.clusters)))
    layout = StatsLayout(resolved)
    row = memoryview(bytearray(8 * layout.slots)).cast("Q")
    runtime = Runtime(resolved, layout, row, None, bytes(16))
    return Follower(runtime.managers[0]).follow(head, options.source, options.down)


def with_hosts(cluster: Cluster) -> Cluster:
    """A cluster with the addresses that DNS gives now."""
    if cluster.type is ClusterType.STATIC:
        return cluster
    found = ClusterResolver(cluster, host_capacity(cluster))
    resolve_first([found], LOOKUP_S)
    return replace(cluster, hosts=found.hosts)


def _parser() -> Parser:
    parser = Parser(prog="fastproxy explain", description="Tells which way a request goes through a configuration.")
    add = parser.add_argument
    add("request", metavar="REQUEST", help="such as 'GET http://host/socket.io/?EIO=4', or a URL or path alone")
    add("-c", "--config-path", metavar="FILE", required=True, help="v1 JSON, or v3 JSON or YAML")
    add("-H", "--header", metavar="LINE", action="append", default=[], help="a header, such as 'Referer: http://h/'")
    add("--from", dest="source", metavar="IP", default=DEFAULT_FROM, help=f"the client (default: {DEFAULT_FROM})")
    add("--down", metavar="HOST", action="append", default=[], help="suppose that this ip:port cannot be reached")
    add("--listener", metavar="NAME", default="", help="default: the one with the URL's port, else the first")
    add("--format", choices=("text", "json"), default="text", help="text for people, json for programs")
    return parser


def find_manager(configuration: Configuration, options: Namespace) -> tuple[Listener, HttpConnectionManager]:
    """The connection manager to ask; ValueError when there is none."""
    listeners = [listener for listener in configuration.listeners if listener.managers]
    if options.listener:
        listeners = [listener for listener in listeners if listener.name == options.listener]
    if not listeners:
        named = f" '{options.listener}'" if options.listener else ""
        raise ValueError(f"there is no listener{named} with a connection manager")
    port = urlsplit(split_request(options.request)[1]).port
    listener = next((each for each in listeners if port and each.address.port == port), listeners[0])
    return listener, listener.manager


def split_request(text: str) -> tuple[str, str]:
    """Method and target of `GET http://host/path`, `http://host/path` or `/path`."""
    words = text.split()
    if len(words) == 1:
        return "GET", words[0]
    if len(words) == 2 or (len(words) == 3 and words[2].startswith("HTTP/")):
        return words[0], words[1]
    raise ValueError(f"'{text}' is no request; write it like 'GET http://host/path'")


def head_of(options: Namespace) -> bytes:
    """The request's head as a client would send it."""
    method, target = split_request(options.request)
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = list(options.header)
    if not any(line.lower().startswith("host:") for line in lines):
        lines.insert(0, f"Host: {parts.netloc or 'localhost'}")
    for line in lines:
        if ":" not in line:
            raise ValueError(f"'{line}' is no header; write it like 'Name: value'")
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("utf-8", "surrogateescape")


def as_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """For people: one line a step, from the listener to the node."""
    yield f"listener      {found['listener']}"
    yield f"request       {found['request']} from {found['client']}"
    if found["route"] is not None:
        yield from _route_lines(found["route"])
    yield from (f"limit         {words}" for words in found["limits"])
    if found["refused"]:
        yield f"answer        {found['refused']}"
        return
    if found["session"]:
        asked = "all nodes are asked, first that below" if found["affinity"] == "asked" else "as one without"
        yield f"session       {found['session']}: while it is known, to its node, whatever follows; else {asked}"
    if found["hash"] is not None:
        yield from _hash_lines(found["hash"], found["affinity"])
    if found["balancer"] is not None:
        yield from _balancer_lines(found)


def _route_lines(route: Mapping[str, Any]) -> Iterator[str]:
    if route["virtual_host"] is None:
        yield "virtual host  none has a domain for this host; answer 404"
        return
    yield f"virtual host  {route['virtual_host']} (domain {route['domain']})"
    for passed in route["passed_over"]:
        yield f"              route {_title(passed['number'], passed['name'])} does not match: {passed['why']}"
    if route["action"] == "none":
        yield "route         none matches; answer 404"
    elif route["number"] is None:
        yield "route         none is asked: the virtual host requires TLS"
    else:
        yield f"route         {_title(route['number'], route['name'])} matches ({route['match']}): {route['action']}"
    if route["status"] is not None:
        to = f" to {route['location']}" if route["location"] else ""
        yield f"answer        {route['status']}{to}"
    elif route["cluster"] is not None:
        yield f"cluster       {route['cluster']}, asked for {route['path']} at host {route['host']}"


def _title(number: int, name: str) -> str:
    return f"{number} '{name}'" if name else str(number)


def _hash_lines(hashed: Mapping[str, Any], affinity: str) -> Iterator[str]:
    for step in hashed["policies"]:
        values = ", ".join(f'"{value}"' for value in step["values"] or ()) or "absent"
        result = f" > {step['hash']}" if step["hash"] else ""
        yield f"hash          {step['policy']}: {values}{result}{' (terminal)' if step['terminal'] else ''}"
        if step["cookie"]:
            yield f"              makes the cookie {step['cookie']}"
    lots = "none: new sessions are counted" if affinity == "least" else "none: the balancer draws lots"
    yield f"key           {hashed['hash'] or lots}"


def _balancer_lines(found: Mapping[str, Any]) -> Iterator[str]:
    why = ", ".join(f"{name} {value}" for name, value in found["balancer"].items() if value is not None)
    yield f"balancer      {why}"
    if found["node"] is None:
        yield "node          none that could be asked; answer 503"
        return
    by_lot = "" if found["is_certain"] else ", or any other: nothing decides"
    if found["affinity"] == "least":
        by_lot = ", or another: it goes where the fewest sessions live, which only the running proxy knows"
    yield f"node          {found['node']}{by_lot}"
    if found["next"]:
        yield f"if it is down {', then '.join(found['next'])}"
