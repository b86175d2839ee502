"""Another user for supervisor and workers, once everything is open that takes root to open.

The supervisor changes before the first fork, so there is no process left that could help another one back.
"""

import grp
import os
import pwd
from collections.abc import Iterable
from dataclasses import dataclass

from fastproxy.errors import FastproxyError
from fastproxy.model import Configuration
from fastproxy.process_rights import allow_core_dumps, forbid_new_privileges

LOG_MODE = 0o640
MAX_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Identity:
    """A user and a group; `name` is for messages."""

    uid: int
    gid: int
    name: str


def find(user: str, group: str) -> Identity | None:
    """Who `--user` and `--group` name, by name or number; None when they name nobody. FastproxyError.

    A user without a group has that of its account; a group alone is for the user who runs this.
    """
    if not user and not group:
        return None
    uid, gid = _user(user) if user else (os.geteuid(), os.getegid())
    if group:
        gid = _group(group)
    if gid < 0:
        raise FastproxyError(f"--user {user} is no account of this machine, so it has no group; name one with --group")
    if os.geteuid() != 0 and (uid, gid) != (os.geteuid(), os.getegid()):
        option = "--user" if uid != os.geteuid() else "--group"
        raise FastproxyError(f"{option}: only root can become somebody else; start fastproxy as root, or as that user")
    return Identity(uid, gid, user or group)


def _user(text: str) -> tuple[int, int]:
    """Number of a user and of its group; -1 for a number that is no account's."""
    number = _number(text)
    try:
        account = pwd.getpwnam(text) if number is None else pwd.getpwuid(number)
    except KeyError:
        if number is None:
            raise FastproxyError(f"--user: there is no user '{text}'") from None
        return number, -1
    return account.pw_uid, account.pw_gid


def _group(text: str) -> int:
    number = _number(text)
    if number is not None:
        return number
    try:
        return grp.getgrnam(text).gr_gid
    except KeyError:
        raise FastproxyError(f"--group: there is no group '{text}'") from None


def _number(text: str) -> int | None:
    """A number that a user or a group may have; None for anything else, which may be a name."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def log_paths(configuration: Configuration) -> set[str]:
    """Files that a configuration has logs written to."""
    found = {log.path for listener in configuration.listeners for one in listener.filters for log in one.access_logs}
    for cluster in configuration.clusters:
        kept = [each.event_log_path for each in (cluster.health_check, cluster.outlier_detection) if each is not None]
        found.update(path for path in kept if path)
    return found | ({configuration.admin.access_log_path} if configuration.admin else set())


def make_files(paths: Iterable[str], identity: Identity) -> None:
    """Make those that are not there yet, for the user to write to. Others stay as they are, and a file that cannot be
    made is for whoever opens it to complain of."""
    for path in paths:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, LOG_MODE)
        except OSError:
            continue
        os.fchown(fd, identity.uid, identity.gid)
        os.close(fd)


def drop(identity: Identity | None, *, core_dumps: bool = False) -> None:
    """Be that user from now on, and nothing more ever. FastproxyError when that does not succeed."""
    try:
        if identity is not None:
            _become(identity)
        forbid_new_privileges()
        if core_dumps:
            allow_core_dumps()
    except OSError as error:
        name = identity.name if identity else "the user who runs this"
        raise FastproxyError(f"cannot give up rights and be {name}: {error.strerror}") from error


def _become(identity: Identity) -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(identity.gid, identity.gid, identity.gid)
        os.setresuid(identity.uid, identity.uid, identity.uid)
    if identity.uid != 0 and can_be_root():
        raise FastproxyError(f"there is a way back from {identity.name} to root; that must not be")


def can_be_root() -> bool:
    """Whether this process is root, or could become it again."""
    try:
        os.setresuid(-1, 0, -1)
    except PermissionError:
        return 0 in os.getresuid()
    return True
