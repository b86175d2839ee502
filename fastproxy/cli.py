"""The `fastproxy` command: configuration, sockets, banner. What goes wrong here ends with status 1 and one message."""

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

from fastproxy import __version__, commands, config, limits, logs, privileges, worker
from fastproxy.errors import FastproxyError, Severity
from fastproxy.loader import Loaded
from fastproxy.model import Address, Configuration, Filter, HttpConnectionManager, Listener
from fastproxy.options import Options, parse
from fastproxy.supervisor import Supervisor

log = logging.getLogger("fastproxy.main")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command = commands.find(arguments)
    if command is not None:
        return command(arguments[1:])
    options = parse(arguments, commands.overview())
    hold_standard_streams()
    try:
        identity = privileges.find(options.user, options.group)
        if identity is not None and options.log_path:
            privileges.make_files([options.log_path], identity)
        logs.configure(options.log_level, options.log_path)
        if options.mode == "validate":
            return validate(options)
        supervisor = start(options, identity)
        confine(options, identity)
    except KeyboardInterrupt:  # before the supervisor minds signals
        return 130
    except FastproxyError as error:
        print("\n".join(map(logs.escape, str(error).splitlines())), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{logs.escape(options.source)}: {error}", file=sys.stderr)
        return 1
    return supervisor.run()


def validate(options: Options) -> int:
    """Tell whether the configuration can be used, in Envoy's words; nothing is opened or made."""
    problems = config.check(options.config_path, options.config_yaml, allow_unknown=options.allow_unknown)
    for problem in problems:
        print(logs.escape(problem.describe()), file=sys.stderr)
    if any(options.strict or problem.severity is Severity.ERROR for problem in problems):
        return 1
    print(f"configuration '{logs.escape(options.source)}' OK")
    return 0


def start(options: Options, identity: privileges.Identity | None = None) -> Supervisor:
    """Load, open, tell. FastproxyError when anything is not as it has to be."""
    for note in options.notes:
        print(f"warning: {logs.escape(note)}", file=sys.stderr)
    loaded = load(options)
    for warning in loaded.warnings:
        print(logs.escape(warning), file=sys.stderr)
    assert loaded.configuration is not None
    build = worker.load_data_plane()
    file_limit = limits.raise_file_limit()
    if identity is not None:
        privileges.make_files(privileges.log_paths(loaded.configuration), identity)
    supervisor = Supervisor(options, loaded.configuration, build, lambda: load(options))
    show_banner(supervisor, options, file_limit)
    write_admin_address(supervisor, options)
    return supervisor


def confine(options: Options, identity: privileges.Identity | None) -> None:
    """Everything is open: give up the rights that nothing needs from here on, those of the workers to come included."""
    if identity is not None and os.geteuid() == 0:
        importlib.import_module("fastproxy.admin.server")  # perhaps the user cannot read it where it lies
    limits.set_core_limit(enabled=options.core_dumps)
    privileges.drop(identity, core_dumps=options.core_dumps)
    if identity is not None:
        log.info("running as %s (user %d, group %d)", identity.name, identity.uid, identity.gid)


def load(options: Options) -> Loaded:
    """The configuration as the command line wants it; FastproxyError with every mistake that was found."""
    loaded = config.load(
        options.config_path, options.config_yaml, strict=options.strict, allow_unknown=options.allow_unknown
    )
    warnings = tuple(problem.describe() for problem in loaded.warnings)
    return Loaded(with_service(loaded.configuration, options), warnings)


def write_admin_address(supervisor: Supervisor, options: Options) -> None:
    """`ip:port` without a line break, as Envoy; a file that cannot be written is a line in the log."""
    if not options.admin_address_path or supervisor.admin_address is None:
        return
    try:
        with open(options.admin_address_path, "w") as file:
            file.write(str(supervisor.admin_address))
    except OSError as error:
        log.error("cannot write the address of admin to %s: %s", options.admin_address_path, error.strerror)


def hold_standard_streams() -> None:
    """Open what stdin, stdout and stderr are missing: else a socket gets such a number and is taken for a stream."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is `fd`
            os.set_inheritable(fd, True)


def with_service(configuration: Configuration, options: Options) -> Configuration:
    """The command line's service names override those of the file."""
    return replace(configuration, listeners=tuple(_serve(each, options) for each in configuration.listeners))


def _serve(listener: Listener, options: Options) -> Listener:
    chains = tuple(replace(chain, filter=_named(chain.filter, options)) for chain in listener.filter_chains)
    return replace(listener, filter=_named(listener.filter, options), filter_chains=chains)


def _named(network_filter: Filter | None, options: Options) -> Filter | None:
    if not isinstance(network_filter, HttpConnectionManager):
        return network_filter
    cluster = options.service_cluster or network_filter.service_cluster
    node = options.service_node or network_filter.service_node
    return replace(network_filter, service_cluster=cluster, service_node=node)


def url(address: Address) -> str:
    """Where a browser or curl finds it."""
    return f"unix://{address}" if address.path else f"http://{address}"


def show_banner(supervisor: Supervisor, options: Options, file_limit: limits.FileLimit) -> None:
    workers = options.concurrency
    log.info("fastproxy %s, configuration %s, process %d", __version__, options.source, os.getpid())
    for name, address in supervisor.status.listeners:
        log.info("listener '%s' on %s, %d worker%s", name, address, workers, "s" if workers > 1 else "")
    if supervisor.admin_address is not None:
        log.info("admin on %s", url(supervisor.admin_address))
    log.info("%s", file_limit.describe(workers))
