"""The command line: Envoy's names where Envoy has the option."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from fastproxy import __version__
from fastproxy.logs import LEVELS


@dataclass(frozen=True, slots=True)
class Options:
    config_path: str
    concurrency: int = 1
    log_level: str = "info"
    shutdown_grace_s: float = 3.0
    service_cluster: str = ""
    service_node: str = ""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Status 1 like every other refusal to start, as Envoy; argparse would say 2."""
        self.exit(1, f"error: {message}\n")


def parse(arguments: Sequence[str] | None = None) -> Options:
    """The options on the command line; SystemExit for --help, --version and mistakes."""
    about = "A front proxy for stateful WebSocket clusters that reads Envoy's configuration files."
    parser = _Parser(prog="fastproxy", description=about, allow_abbrev=False)
    add = parser.add_argument
    add("-c", "--config-path", metavar="FILE", required=True, help="configuration: v1 JSON, or v3 JSON or YAML")
    add("--concurrency", type=_positive, default=_processors(), metavar="N", help="workers (default: processors)")
    add("-l", "--log-level", type=_log_level, default="info", metavar="LEVEL", help=", ".join(LEVELS))
    add("--shutdown-grace-s", type=_seconds, default=3.0, metavar="S", help="for exchanges to finish (default: 3)")
    add("--service-cluster", default="", metavar="NAME", help="cluster that this server belongs to")
    add("--service-node", default="", metavar="NAME", help="name of this server")
    add("--version", action="version", version=f"fastproxy {__version__}")
    return Options(**vars(parser.parse_args(arguments)))


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of at least 1")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds")
    return value


def _log_level(text: str) -> str:
    if text not in LEVELS:
        raise argparse.ArgumentTypeError(f"invalid log level specified '{text}'")
    return text
