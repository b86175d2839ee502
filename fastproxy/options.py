"""The command line: Envoy's names where Envoy has the option, and a word about each option that has no effect here."""

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from fastproxy import __version__
from fastproxy.logs import LEVELS

MODES = ("serve", "validate")


@dataclass(frozen=True, slots=True)
class Options:
    """`config_path` is "" when all of the configuration is in `config_yaml`; `notes` tell what has no effect."""

    config_path: str
    concurrency: int = 1
    log_level: str = "info"
    shutdown_grace_s: float = 3.0
    service_cluster: str = ""
    service_node: str = ""
    config_yaml: str = ""
    mode: str = "serve"
    strict: bool = False
    allow_unknown: bool = False
    log_path: str = ""
    admin_address_path: str = ""
    user: str = ""
    group: str = ""
    core_dumps: bool = False
    notes: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """What the configuration is called in messages."""
        return self.config_path or "--config-yaml"


class Parser(argparse.ArgumentParser):
    """Abbreviates nothing, and ends with status 1 like every other refusal to start, as Envoy; argparse would say 2."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(1, f"error: {message}\n")


class _Noted(argparse.Action):
    """An option of Envoy's that is taken and has no effect here: `const` says why, "" where nothing needs saying."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option: str | None = None) -> None:
        if self.const:
            namespace.notes = (*namespace.notes, f"{option} has no effect here: {self.const}")


class _Refused(argparse.Action):
    """An option of Envoy's that asks for what fastproxy does not do."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: str | None = None) -> None:
        parser.error(f"{option} {self.const}")


_NO_HOT_RESTART = "there is no hot restart to tune"
_ONE_LEVEL = "all components log at --log-level"
_LOGS_AT_ONCE = "access logs are written within a second"
_WITH_VALUE = {
    "--base-id": "several fastproxy run on one machine without it",
    "--base-id-path": "there is no base id",
    "--drain-time-s": "say --shutdown-grace-s",
    "--drain-strategy": "say --shutdown-grace-s",
    "--parent-shutdown-time-s": _NO_HOT_RESTART,
    "--socket-path": _NO_HOT_RESTART,
    "--socket-mode": _NO_HOT_RESTART,
    "--component-log-level": _ONE_LEVEL,
    "--log-format": "log lines have Envoy's default format",
    "--file-flush-interval-msec": _LOGS_AT_ONCE,
    "--file-flush-min-size-kb": _LOGS_AT_ONCE,
    "--service-zone": "no balancer looks at zones",
    "--local-address-ip-version": "the file says where to listen",
    "--stats-tag": "statistics carry no tags of their own",
    "--disable-extensions": "what a file does not use is not loaded",
    "--max-obj-name-len": "names have no bound of their own in memory",
    "--max-stats": "statistics have no bound of their own",
}
_FLAGS = {
    "--use-dynamic-base-id": "several fastproxy run on one machine without it",
    "--disable-hot-restart": "",
    "--skip-hot-restart-on-no-parent": _NO_HOT_RESTART,
    "--skip-hot-restart-parent-stats": _NO_HOT_RESTART,
    "--enable-fine-grain-logging": _ONE_LEVEL,
    "--log-format-escaped": "",  # log lines are always escaped
    "--log-stacktrace-single-entry": "",
    "--skip-deprecated-logs": "",
    "--reject-unknown-dynamic-fields": "",  # nothing is dynamic
    "--ignore-unknown-dynamic-fields": "",
    "--cpuset-threads": "",  # the default of --concurrency heeds it
    "--enable-mutex-tracing": "there are no threads",
}
_REFUSALS = {
    "--v2-config-only": "asks for Envoy's v2 API, which is not read; write the file for v3 (v1 is read as well)",
    "--hot-restart-version": "asks for hot restart, which fastproxy does not do",
}


def parse(arguments: Sequence[str] | None = None, commands: str = "") -> Options:
    """The options on the command line; SystemExit for --help, --version and mistakes. `commands` ends the help."""
    about = "A front proxy for stateful WebSocket clusters that reads Envoy's configuration files."
    parser = Parser(
        prog="fastproxy", description=about, epilog=commands, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    _add_options(parser)
    _add_options_of_envoy(parser)
    values = vars(parser.parse_args(arguments))
    if values.pop("restart_epoch"):
        parser.error("--restart-epoch: no running process can be taken over yet; end it first")
    if not values["config_path"] and not values["config_yaml"]:
        parser.error("name a configuration file with -c/--config-path FILE, or write one in --config-yaml")
    return Options(**values)


def _add_options(parser: Parser) -> None:
    add = parser.add_argument
    add("-c", "--config-path", metavar="FILE", default="", help="configuration: v1 JSON, or v3 JSON or YAML")
    add("--config-yaml", metavar="YAML", default="", help="v3 configuration that is merged over that of the file")
    add("--mode", choices=MODES, default="serve", help="validate: check the configuration and end")
    add("--strict", action="store_true", help="refuse a configuration with warnings")
    add("--concurrency", type=_positive, default=_processors(), metavar="N", help="workers (default: processors)")
    add("-l", "--log-level", type=_log_level, default="info", metavar="LEVEL", help=", ".join(LEVELS))
    add("--log-path", metavar="FILE", default="", help="where the log goes (default: stderr)")
    add("--shutdown-grace-s", type=_seconds, default=3.0, metavar="S", help="for exchanges to finish (default: 3)")
    add("--user", default="", metavar="NAME", help="who to be once ports and logs are open: name or number")
    add("--group", default="", metavar="NAME", help="its group (default: the user's)")
    add("--enable-core-dump", dest="core_dumps", action="store_true", help="let a crash write a core file")
    add("--service-cluster", default="", metavar="NAME", help="cluster that this server belongs to")
    add("--service-node", default="", metavar="NAME", help="name of this server")
    add("--admin-address-path", metavar="FILE", default="", help="file that gets the address of admin")
    names = ("--allow-unknown-static-fields", "--allow-unknown-fields")
    add(*names, dest="allow_unknown", action="store_true", help="warn of unknown v3 fields instead of refusing them")
    add("--version", action="version", version=f"fastproxy {__version__}")


def _add_options_of_envoy(parser: Parser) -> None:
    """Those that a user who comes from Envoy may have on the command line; they stand in the documentation only."""
    hidden: dict[str, Any] = {"help": argparse.SUPPRESS, "default": argparse.SUPPRESS, "dest": "notes"}
    parser.set_defaults(notes=())
    parser.add_argument("--restart-epoch", type=_whole, default=0, help=argparse.SUPPRESS)
    for name, why in _WITH_VALUE.items():
        parser.add_argument(name, action=_Noted, const=why, **hidden)
    for name, why in _FLAGS.items():
        parser.add_argument(name, action=_Noted, nargs=0, const=why, **hidden)
    for name, why in _REFUSALS.items():
        parser.add_argument(name, action=_Refused, nargs=0, const=why, **hidden)


def _processors() -> int:
    return len(os.sched_getaffinity(0))


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


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
    text = "warning" if text == "warn" else text
    if text not in LEVELS:
        raise argparse.ArgumentTypeError(f"invalid log level specified '{text}'")
    return text
