"""Loading in another process: the model comes back, or what is wrong; nothing else does."""

import os
import signal

from fastproxy.errors import FastproxyError
from fastproxy.loader import Load, Loaded, Loader
from fastproxy.model import Cluster, Configuration
from tests.support.processes import wait_until

CONFIGURATION = Configuration(clusters=(Cluster("c"),))


def result(loader: Loader) -> Loaded:
    found: list[Loaded] = []

    def ended() -> bool:
        loaded = loader.result()
        found.extend([loaded] if loaded else [])
        return bool(found)

    wait_until(ended, "it has loaded")
    return found[0]


def load(given: Load) -> Loaded:
    return result(Loader(given))


def fail(error: Exception) -> Loaded:
    raise error


def test_the_model_comes_back():
    assert load(lambda: Loaded(CONFIGURATION, ("one", "two"))) == Loaded(CONFIGURATION, ("one", "two"))


def test_what_is_wrong_comes_back():
    assert load(lambda: fail(FastproxyError("f:1:2: p: wrong"))) == Loaded(error="f:1:2: p: wrong")
    assert load(lambda: fail(OSError(2, "gone"))).error == "the configuration cannot be read: [Errno 2] gone"


def test_a_loader_that_fails_otherwise_is_an_error_too():
    broken = load(lambda: fail(ValueError("a defect")))
    assert broken.error == "reading the configuration did not come to an end: exit status 1"
    assert load(lambda: os._exit(0)).error.endswith("did not come to an end: exit status 0")


def sleep() -> Loaded:
    signal.pause()
    return Loaded()


def test_a_loader_can_be_killed():
    loader = Loader(sleep)
    loader.kill()
    assert result(loader).error == "reading the configuration did not come to an end: killed by SIGKILL"
    loader.kill()


def test_nothing_is_left_open():
    before = os.listdir("/proc/self/fd")
    load(lambda: Loaded(CONFIGURATION))
    assert os.listdir("/proc/self/fd") == before
