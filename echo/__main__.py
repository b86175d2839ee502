"""`python -m echo`: one node, or a cluster of them."""

import argparse
import os
import sys
from collections.abc import Sequence

from echo import cluster

DEFAULT_HOST = "127.0.0.1"


def parse_address(text: str) -> cluster.Address:
    """`host:port`, `[v6]:port`, `:port` or `port`; without a host it is 127.0.0.1."""
    host, _, port = text.rpartition(":")
    return host.strip("[]") or DEFAULT_HOST, _port(port)


def parse_ports(text: str) -> list[cluster.Address]:
    """`8002-8004`, `8002,8005` or both mixed: one address on 127.0.0.1 each."""
    addresses = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        ports = range(_port(first), _port(last or first) + 1)
        if not ports:
            raise argparse.ArgumentTypeError(f"{part!r} is empty: the first port is above the last")
        addresses += [(DEFAULT_HOST, port) for port in ports]
    if len(set(addresses)) != len(addresses):
        raise argparse.ArgumentTypeError(f"{text!r} names a port twice")
    return addresses


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (1 to 65535)")
    return int(text)


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """`addresses` holds where to listen. Ends the process with status 2 on a mistake."""
    parser = argparse.ArgumentParser(prog="python -m echo", description="Socket.IO echo nodes to put behind a proxy.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--addr", "-addr", type=parse_address, metavar="HOST:PORT", help="one node (127.0.0.1:8002)")
    where.add_argument("--cluster", type=parse_ports, metavar="PORTS", help="one node per port: 8002-8004 or 8002,8010")
    parser.add_argument(
        "--log-level",
        choices=["debug", "info", "warning", "error"],
        default="warning",
        help="info adds a line for each request (default: warning)",
    )
    options = parser.parse_args(arguments)
    options.addresses = options.cluster or [options.addr or (DEFAULT_HOST, 8002)]
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit status."""
    options = parse_arguments(arguments)
    try:
        sockets = cluster.bind_all(options.addresses)
    except OSError as error:
        print(f"echo: cannot listen on {error.strerror}", file=sys.stderr)
        return 1
    if options.cluster:
        return cluster.Cluster(sockets, options.log_level).run()
    host, port = sockets[0].getsockname()[:2]
    print(f"node#{os.getpid()} on http://{host}:{port}/", flush=True)
    cluster.serve(sockets[0], options.log_level)
    return 0


if __name__ == "__main__":
    sys.exit(main())
