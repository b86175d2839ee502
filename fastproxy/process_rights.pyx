"""What a process may still become, and who may look into it (prctl(2))."""

import os

from libc.errno cimport errno

cdef extern from "<sys/prctl.h>" nogil:
    int PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_SET_DUMPABLE
    int prctl(int option, unsigned long second, unsigned long third, unsigned long fourth, unsigned long fifth)


def forbid_new_privileges() -> None:
    """No program that this process or a child of it starts gets more rights than it has; there is no way back."""
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0:
        raise OSError(errno, os.strerror(errno))


def has_no_new_privileges() -> bool:
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1


def allow_core_dumps() -> None:
    """After a change of user the kernel writes none, and shows the process to root alone."""
    if prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0:
        raise OSError(errno, os.strerror(errno))
