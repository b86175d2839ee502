"""The origins that a list in the file means."""

import pytest

from fastproxy.config.build_origins import MAX_ORIGINS, origin_policy
from fastproxy.model_routes import OriginPolicy
from tests.unit import test_config_build_affinity as affinity
from tests.unit.config_files import errors, load, v1, v1_manager
from tests.unit.test_config_build_affinity import at_host, at_listener, at_route, ours


def origins(*changes):
    """What the only route has."""
    found, report = affinity.built(*changes)
    assert errors(report) == []
    return found.listeners[0].manager.route_config.virtual_hosts[0].routes[0].origins


def test_nothing_is_said():
    assert origins() is None
    assert origins(at_listener({})) is None
    assert origin_policy(None, False) is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://a.example", "https://a.example"),
        ("HTTPS://A.Example:443", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
        ("http://a.example:443", "http://a.example:443"),
        ("https://*.a.example:8443", "https://*.a.example:8443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("same", "same"),
        ("null", "null"),
        ("*", "*"),
    ],
)
def test_an_origin(text, found):
    assert origins(at_route(ours(allowed_origins=[text]))) == OriginPolicy((found,))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("https://a.example", "expected a list of origins, not the text"),
        ([1], "expected an origin such as"),
        (["a.example"], '"a.example" is no origin: it has no scheme; expected'),
        (["https://a.example/"], "is no origin: nothing stands behind the host and its port; expected"),
        (["https://a.*.example"], '"https://a.*.example" is no origin; expected'),
        (["*.a.example"], "it has no scheme"),
        (["https://a.example:x"], "is no origin"),
        (["https://a.example"] * (MAX_ORIGINS + 1), f"at most {MAX_ORIGINS} origins"),
    ],
)
def test_mistakes(value, message):
    [(path, found)] = affinity.mistakes(at_listener({"allowed_origins": value}))
    assert path.startswith(affinity.VALUE)
    assert message in found


def test_a_demand_alone_takes_any_origin():
    assert origins(at_listener({"require_origin": True})) == OriginPolicy(("*",), True)
    assert origins(at_listener({"require_origin": False})) is None


def test_levels():
    levels = [at_listener({"allowed_origins": ["same"]}), at_host(ours(require_origin=True))]
    assert origins(levels[0]) == OriginPolicy(("same",))
    assert origins(*levels) == OriginPolicy(("same",), True)
    assert origins(*levels, at_route(ours(allowed_origins=["*"]))) == OriginPolicy(("*",), True)
    assert origins(*levels, at_route({"@type": affinity.FILTER_CONFIG, "disabled": True})) is None


def test_a_v1_file_says_it_for_a_listener(tmp_path):
    document = v1()
    entry = {"type": "decoder", "name": "fastproxy", "config": {"allowed_origins": ["same"], "require_origin": True}}
    v1_manager(document)["filters"].insert(0, entry)
    (listener,) = load(tmp_path, document).configuration.listeners
    assert listener.manager.route_config.virtual_hosts[0].routes[0].origins == OriginPolicy(("same",), True)
