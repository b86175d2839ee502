"""Giving up rights: who is meant, what is made for that user, and that there is no way back."""

import grp
import os
import pwd
import resource
import stat
from collections.abc import Callable

import pytest

from fastproxy.errors import FastproxyError
from fastproxy.limits import set_core_limit
from fastproxy.model import (
    AccessLog,
    Address,
    Admin,
    Cluster,
    Configuration,
    HttpConnectionManager,
    Listener,
    OutlierDetection,
    RouteConfiguration,
)
from fastproxy.privileges import Identity, can_be_root, drop, find, log_paths, make_files
from fastproxy.process_rights import has_no_new_privileges
from tests.unit.health_checks import quick

ME = pwd.getpwuid(os.getuid())


def child(work: Callable[[], object]) -> int:
    """Do `work` in a process of its own; 0 when it went well."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_nobody_is_named():
    assert find("", "") is None


def test_oneself_by_name_and_number():
    assert find(ME.pw_name, "") == Identity(ME.pw_uid, ME.pw_gid, ME.pw_name)
    assert find(str(ME.pw_uid), str(ME.pw_gid)) == Identity(ME.pw_uid, ME.pw_gid, str(ME.pw_uid))
    group = find("", grp.getgrgid(os.getgid()).gr_name)
    assert group is not None
    assert group.gid == os.getgid()


@pytest.mark.parametrize(
    ("user", "group", "words"),
    [
        ("nobody-of-that-name", "", "--user: there is no user 'nobody-of-that-name'"),
        ("", "no-such-group", "--group: there is no group 'no-such-group'"),
        ("99999999999999", "", "--user: there is no user"),
        ("200000001", "", "--user 200000001 is no account of this machine, so it has no group"),
    ],
)
def test_mistakes(user, group, words):
    with pytest.raises(FastproxyError, match=words):
        find(user, group)


@pytest.mark.parametrize(("user", "group", "option"), [("12345", "54321", "--user"), ("", "54321", "--group")])
def test_only_root_can_become_somebody_else(monkeypatch, user, group, option):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(FastproxyError, match=f"{option}: only root can become somebody else"):
        find(user, group)


def test_logs_of_a_configuration():
    manager = HttpConnectionManager("http", RouteConfiguration(()), (AccessLog("/one"), AccessLog("/two")))
    configuration = Configuration(
        (Listener("l", Address("::1", 1), manager),), admin=Admin(Address("::1", 2), "/three")
    )
    assert log_paths(configuration) == {"/one", "/two", "/three"}
    checked = Cluster("c", health_check=quick(event_log_path="/four"), outlier_detection=OutlierDetection())
    ejecting = Cluster("d", outlier_detection=OutlierDetection(event_log_path="/five"))
    assert log_paths(Configuration(clusters=(checked, ejecting))) == {"/four", "/five"}
    assert log_paths(Configuration()) == set()


def test_files_that_are_missing_are_made(tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_text("line\n")
    old.chmod(0o600)
    make_files([str(old), str(new), str(tmp_path / "no folder" / "file")], Identity(os.getuid(), os.getgid(), "me"))
    assert (old.read_text(), stat.S_IMODE(old.stat().st_mode)) == ("line\n", 0o600)
    assert (new.read_text(), stat.S_IMODE(new.stat().st_mode)) == ("", 0o640)


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "target")
    make_files([str(tmp_path / "link")], Identity(os.getuid(), os.getgid(), "me"))
    assert not (tmp_path / "target").exists()


def test_without_another_user_only_new_rights_are_refused():
    def work():
        before = os.getresuid(), os.getresgid()
        drop(None)
        assert has_no_new_privileges()
        assert before == (os.getresuid(), os.getresgid())

    assert child(work) == 0


def become_somebody():
    """As root: another user, with none of root's groups. As anybody else: only oneself can be named."""
    if os.geteuid() != 0:
        drop(Identity(os.getuid(), os.getgid(), ME.pw_name))
        assert not can_be_root()
        return
    drop(Identity(12345, 54321, "somebody"))
    assert os.getresuid() == (12345,) * 3
    assert os.getresgid() == (54321,) * 3
    assert os.getgroups() == []
    assert not can_be_root()
    with pytest.raises(PermissionError):
        os.setuid(0)
    with pytest.raises(PermissionError):
        os.open("/etc/shadow", os.O_RDONLY)


def test_there_is_no_way_back():
    assert child(become_somebody) == 0


def test_a_user_that_could_come_back_is_not_one_to_become(monkeypatch):
    monkeypatch.setattr("fastproxy.privileges.can_be_root", lambda: True)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(FastproxyError, match="there is a way back from x to root"):
        drop(Identity(12345, 12345, "x"))


@pytest.mark.parametrize("enabled", [False, True])
def test_core_files_are_a_choice(enabled):
    def work():
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        set_core_limit(enabled=enabled)
        assert resource.getrlimit(resource.RLIMIT_CORE) == (hard if enabled else 0, hard)
        drop(None, core_dumps=enabled)

    assert child(work) == 0
