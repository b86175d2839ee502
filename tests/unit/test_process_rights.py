"""prctl: what a process may still become, in a process of its own, as there is no way back."""

import os

from fastproxy.process_rights import allow_core_dumps, forbid_new_privileges, has_no_new_privileges


def test_new_privileges_are_forbidden_for_good():
    before = has_no_new_privileges()
    pid = os.fork()
    if pid == 0:
        forbid_new_privileges()
        allow_core_dumps()
        os._exit(0 if has_no_new_privileges() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert has_no_new_privileges() == before
