"""The `fastproxy` command: configuration, sockets, banner. What goes wrong here ends with status 1 and one message."""

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from fastproxy import __version__, config, limits, logs, worker
from fastproxy.errors import FastproxyError, Problem
from fastproxy.model import Configuration, Listener
from fastproxy.options import Options, parse
from fastproxy.supervisor import Supervisor

log = logging.getLogger("fastproxy.main")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    options = parse(arguments)
    hold_standard_streams()
    logs.configure(options.log_level)
    try:
        supervisor = start(options)
    except KeyboardInterrupt:  # before the supervisor minds signals
        return 130
    except FastproxyError as error:
        print("\n".join(map(logs.escape, str(error).splitlines())), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{logs.escape(options.config_path)}: {error}", file=sys.stderr)
        return 1
    return supervisor.run()


def start(options: Options) -> Supervisor:
    """Load, open, tell. FastproxyError when anything is not as it has to be."""
    loaded = config.load(options.config_path)
    for problem in loaded.warnings:
        print(logs.escape(describe_warning(problem)), file=sys.stderr)
    build = worker.load_data_plane()
    file_limit = limits.raise_file_limit()
    supervisor = Supervisor(options, with_service(loaded.configuration, options), build)
    show_banner(supervisor, options, file_limit)
    return supervisor


def hold_standard_streams() -> None:
    """Open what stdin, stdout and stderr are missing: else a socket gets such a number and is taken for a stream."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is `fd`
            os.set_inheritable(fd, True)


def describe_warning(problem: Problem) -> str:
    """`file:line:column: path: warning: message`."""
    return str(replace(problem, message=f"warning: {problem.message}"))


def with_service(configuration: Configuration, options: Options) -> Configuration:
    """The command line's service names override those of the file."""
    return replace(configuration, listeners=tuple(_serve(each, options) for each in configuration.listeners))


def _serve(listener: Listener, options: Options) -> Listener:
    manager = listener.manager
    cluster = options.service_cluster or manager.service_cluster
    node = options.service_node or manager.service_node
    return replace(listener, manager=replace(manager, service_cluster=cluster, service_node=node))


def show_banner(supervisor: Supervisor, options: Options, file_limit: limits.FileLimit) -> None:
    workers = options.concurrency
    log.info("fastproxy %s, configuration %s, process %d", __version__, options.config_path, os.getpid())
    for name, address in supervisor.status.listeners:
        log.info("listener '%s' on %s, %d worker%s", name, address, workers, "s" if workers > 1 else "")
    if supervisor.admin_address is not None:
        log.info("admin on http://%s", supervisor.admin_address)
    log.info("%s", file_limit.describe(workers))
