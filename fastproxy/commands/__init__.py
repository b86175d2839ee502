"""What `fastproxy` does besides serving: one module for each command, imported when it is asked for."""

from collections.abc import Callable, Sequence
from importlib import import_module

COMMANDS = {
    "check": "tell everything that is wrong with configuration files",
    "explain": "tell which way a request goes, and why",
    "plan": "tell what a reload would change, and the share of keys that move",
}
"""Each is a module here, with `run(arguments)` that returns the exit status."""


def find(arguments: Sequence[str]) -> Callable[[Sequence[str]], int] | None:
    """The command that the first argument names, if it names one."""
    if not arguments or arguments[0] not in COMMANDS:
        return None
    run: Callable[[Sequence[str]], int] = import_module(f"{__name__}.{arguments[0]}").run
    return run


def overview() -> str:
    """The commands for the end of the help."""
    lines = (f"  fastproxy {name} ...  {about}" for name, about in COMMANDS.items())
    return "\n".join(("commands (each has --help):", *lines))
