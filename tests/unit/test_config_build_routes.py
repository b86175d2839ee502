"""Routes in the model, and what is wrong with them."""

import pytest

from fastproxy.model import HeaderHashPolicy, RouteMatch
from tests.unit.built_routes import built, hosts_of
from tests.unit.config_files import V3_MANAGER_PATH, V3_ROUTE_PATH, errors, v3_file, v3_manager, v3_route

HOSTS = f"{V3_MANAGER_PATH}.route_config.virtual_hosts"


def route(change):
    found, report = built(change)
    assert errors(report) == []
    return found.virtual_hosts[0].routes[0]


def test_defaults():
    found = route(lambda d: None)
    assert found.match == RouteMatch(prefix="/")
    assert (found.cluster, found.timeout_s, found.timeout_is_set) == ("nodes", 15.0, False)
    assert (found.hash_policies, found.allow_websocket) == ((), False)


@pytest.mark.parametrize(("timeout", "seconds"), [("0s", None), ("15s", 15.0), ("0.5s", 0.5)])
def test_a_timeout_of_the_file_is_known_as_such(timeout, seconds):
    found = route(lambda d: v3_route(d)["route"].update(timeout=timeout))
    assert (found.timeout_s, found.timeout_is_set) == (seconds, True)


def test_hash_policies_keep_their_order_and_lose_their_case():
    policies = [{"header": {"header_name": "Referer"}, "terminal": True}, {"header": {"header_name": ":path"}}]
    found = route(lambda d: v3_route(d)["route"].update(hash_policy=policies))
    assert found.hash_policies == (HeaderHashPolicy("referer", True), HeaderHashPolicy(":path"))


def test_rewrites_and_names():
    def change(document):
        v3_route(document).update(name="r", stat_prefix="s")
        v3_route(document)["route"].update(prefix_rewrite="/x", host_rewrite_literal="h")

    found, _ = built(change)
    first = found.virtual_hosts[0].routes[0]
    assert (first.name, first.stat_prefix, first.prefix_rewrite, first.host_rewrite) == ("r", "s", "/x", "h")
    assert (found.virtual_hosts[0].name, found.virtual_hosts[0].domains) == ("all", ("*",))


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"prefix": ""}, RouteMatch(prefix="")),
        ({"path": "/a", "case_sensitive": False}, RouteMatch(path="/a", case_sensitive=False)),
        ({"safe_regex": {"regex": r"/\d+[(?=]x*"}}, RouteMatch(regex=r"/\d+[(?=]x*")),
        ({"safe_regex": {"google_re2": {}, "regex": "(?i)/a(?:b|c)?"}}, RouteMatch(regex="(?i)/a(?:b|c)?")),
    ],
)
def test_matches(match, expected):
    assert route(lambda d: v3_route(d).update(match=match)).match == expected


@pytest.mark.parametrize(
    ("manager", "action", "allowed"),
    [
        ([], [], False),
        ([{"upgrade_type": "websocket"}], [], True),
        ([{"upgrade_type": "WebSocket"}], [], True),
        ([{"upgrade_type": "websocket", "enabled": False}], [], False),
        ([{"upgrade_type": "websocket"}], [{"upgrade_type": "websocket", "enabled": False}], False),
        ([{"upgrade_type": "websocket", "enabled": False}], [{"upgrade_type": "websocket"}], True),
        ([], [{"upgrade_type": "websocket"}], True),
        ([{"upgrade_type": "h2c", "enabled": False}], [], False),
    ],
)
def test_websockets(manager, action, allowed):
    def change(document):
        v3_manager(document)["upgrade_configs"] = manager
        v3_route(document)["route"]["upgrade_configs"] = action

    assert route(change).allow_websocket is allowed


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (
            lambda d: v3_route(d)["route"].update(cluster="node"),
            f"{V3_ROUTE_PATH}.route.cluster",
            'there is no cluster "node"; did you mean "nodes"?',
        ),
        (
            lambda d: v3_manager(d).update(upgrade_configs=[{"upgrade_type": "connect-udp"}]),
            f"{V3_MANAGER_PATH}.upgrade_configs[0].upgrade_type",
            'only upgrades to "websocket" are supported, not to "connect-udp"',
        ),
        (
            lambda d: v3_route(d)["route"].update(
                upgrade_configs=[{"upgrade_type": "websocket"}, {"upgrade_type": "WebSocket"}]
            ),
            f"{V3_ROUTE_PATH}.route.upgrade_configs[1].upgrade_type",
            'the upgrade "websocket" stands here twice',
        ),
        (
            lambda d: hosts_of(d).append(hosts_of(d)[0]),
            f"{HOSTS}[1].domains[0]",
            f'the domain "*" stands already at {HOSTS}[0].domains[0]; keep it in one place',
        ),
        (
            lambda d: hosts_of(d)[0].update(domains=["a.com", "A.com"]),
            f"{HOSTS}[0].domains[1]",
            f'the domain "A.com" stands already at {HOSTS}[0].domains[0]; keep it in one place',
        ),
    ],
)
def test_mistakes(change, path, message):
    _, report = built(change)
    assert errors(report) == [(path, message)]


def test_two_virtual_hosts_of_one_name_and_odd_domains_are_accepted():
    document = v3_file()
    other = {**hosts_of(document)[0], "domains": ["*.com", "com.*", "**", ""]}
    _, report = built(lambda d: hosts_of(d).append(other))
    assert errors(report) == []


@pytest.mark.parametrize(
    ("regex", "words"),
    [
        ("/(?=a)", "invalid perl operator: (?="),
        ("/(?<!a)", "invalid perl operator: (?<"),
        (r"/(a)\1", r"invalid escape sequence: \1"),
        ("/a*+", "bad repetition operator: *+"),
        ("/a(?#x)", "(?#"),
        ("/a{1001}", "invalid repetition size"),
        ("/(?P=x)", "invalid perl operator: (?P"),
        ("/(", "missing )"),
    ],
)
def test_regexes_that_re2_does_not_take(regex, words):
    _, report = built(lambda d: v3_route(d).update(match={"safe_regex": {"regex": regex}}))
    [(path, message)] = errors(report)
    assert path == f"{V3_ROUTE_PATH}.match.safe_regex.regex"
    assert message.startswith("no regular expression: ")
    assert words in message
