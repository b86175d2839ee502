"""Which route is taken, where its requests go, and what routes inherit."""

import pytest

from fastproxy.model import HeaderHashPolicy, Route, RouteConfiguration, VirtualHost
from fastproxy.model_routes import (
    CorsPolicy,
    DirectResponse,
    HeaderRules,
    HeaderValue,
    MirrorPolicy,
    Redirect,
    RequireTls,
    RouteMatch,
    WeightedCluster,
    WeightedClusters,
)
from fastproxy.routing import Destination, Levels, RouteTable
from tests.unit.routes import ANY, ask, clusters, one, table, taken


def named(name, domain="*", match=ANY, **fields):
    return VirtualHost(name, (domain,), (Route(match, "a", name=name),), **fields)


def name_of(routes, authority, path=b"/"):
    route = routes.route(authority, path)
    return route.name.decode() if route else None


def test_the_virtual_host_decides_first():
    routes = table(named("any"), named("other", "other.test", RouteMatch(prefix="/x")))
    assert name_of(routes, b"other.test", b"/x") == "other"
    assert name_of(routes, b"other.test", b"/y") is None
    assert name_of(routes, b"h", b"/y") == "any"
    assert name_of(table(), b"h") is None


def test_a_cluster_that_is_not_there():
    with pytest.raises(KeyError):
        one(Route(ANY, "nowhere"))


THREE = (WeightedCluster(20, "a"), WeightedCluster(30, "b"), WeightedCluster(50, "c"))


def chosen(weighted, random=0, **rest):
    return ask(one(Route(ANY, weighted_clusters=weighted)), random=random, **rest)["cluster"]


@pytest.mark.parametrize(
    ("draw", "cluster"), [(0, "a"), (19, "a"), (20, "b"), (49, "b"), (50, "c"), (99, "c"), (100, "a")]
)
def test_weighted_clusters_by_lot(draw, cluster):
    assert chosen(WeightedClusters(THREE), draw) == cluster


@pytest.mark.parametrize(
    ("text", "cluster"),
    [("0", "a"), ("20", "b"), ("99", "c"), ("101", "a"), ("18446744073709551615", "a"), ("18446744073709551616", "c"),
     ("-1", "c"), ("", "c"), ("7abc", "c"), (" 7 ", "a")],
)  # fmt: skip
def test_weighted_clusters_by_the_number_in_a_header(text, cluster):
    """What is no number leaves it to the draw."""
    assert chosen(WeightedClusters(THREE, "x-rand"), 99, headers=(("x-rand", text),)) == cluster


def test_weighted_clusters_by_hash():
    route = Route(ANY, weighted_clusters=WeightedClusters(THREE, use_hash_policy=True),
                  hash_policies=(HeaderHashPolicy("x-sid"),))  # fmt: skip
    picks = {key: ask(one(route), headers=(("x-sid", key),))["cluster"] for key in ("user0", "user3", "user16")}
    assert picks == {"user0": "c", "user3": "b", "user16": "a"}  # as Envoy 1.40
    assert ask(one(route), random=30)["cluster"] == "b"


def test_a_weighted_cluster_has_settings_of_its_own():
    weighted = WeightedClusters((WeightedCluster(1, "a", host_rewrite="own"), WeightedCluster(1, cluster_header="x-c")))
    route = Route(ANY, weighted_clusters=weighted)
    assert ask(one(route))["host"] == "own"
    found = ask(one(route), random=1, headers=(("x-c", "b"),))
    assert (found["cluster"], found["host"]) == ("b", "h")
    assert ask(one(Route(ANY, weighted_clusters=weighted, host_rewrite="of the route")))["host"] == "of the route"


@pytest.mark.parametrize(("text", "cluster", "status"), [("b", "b", None), ("nowhere", None, 404), ("", None, 404)])
def test_a_header_names_the_cluster(text, cluster, status):
    route = Route(ANY, cluster_header="x-c", missing_cluster_status=404)
    found = ask(one(route), headers=(("x-c", text),))
    assert (found["cluster"], found["status"]) == (cluster, status)
    assert ask(one(route))["status"] == 404


def rules(text):
    return HeaderRules(request_add=(HeaderValue("x", text),))


def texts(compiled):
    return [each.model.request_add[0].value for each in compiled]


@pytest.mark.parametrize(
    ("most_specific_wins", "order"),
    [(False, ["cluster", "route", "host", "table"]), (True, ["table", "host", "route", "cluster"])],
)
def test_header_rules_in_the_order_of_their_evaluation(most_specific_wins, order):
    levels = Levels((rules("host"), rules("table")), most_specific_wins)
    assert texts(levels.with_rules(rules("route"), rules("cluster"))) == order
    assert texts(levels.with_rules(rules("route"))) == [text for text in order if text != "cluster"]
    assert texts(levels.with_rules(None)) == [text for text in order if text in ("host", "table")]


def test_a_route_inherits_header_rules():
    host = VirtualHost("v", ("*",), (Route(ANY, "a", header_rules=rules("route")),), header_rules=rules("host"))
    routes = RouteTable(RouteConfiguration((host,), header_rules=rules("table")), clusters("a"))
    assert texts(taken(routes).header_rules) == ["route", "host", "table"]


def test_what_exchanges_ask_a_route():
    policy = CorsPolicy(allow_methods="GET")
    model = Route(
        ANY, "a", timeout_s=0.0001, timeout_is_set=True, idle_timeout_s=0.0, max_stream_duration_s=2.0, cors=policy,
        mirrors=(MirrorPolicy("b", 5, False, "m"),), append_x_forwarded_host=True, auto_host_rewrite=True,
        allow_websocket=True,
    )  # fmt: skip
    route = taken(one(model, include_request_attempt_count=True))
    assert (route.timeout_ms, route.timeout_is_set) == (1, True)
    assert (route.idle_timeout_ms, route.idle_timeout_is_set) == (0, True)
    assert (route.max_stream_duration_ms, route.max_stream_duration_is_set) == (2000, True)
    assert (route.append_x_forwarded_host, route.auto_host_rewrite, route.allow_websocket) == (True, True, True)
    assert (route.attempt_count_in_request, route.attempt_count_in_response) == (True, False)
    assert (route.retry_policy, route.request_buffer_bytes) == (None, -1)
    assert route.cors is not None
    assert route.cors.model is policy
    [mirror] = route.mirrors
    assert (mirror.cluster.name, mirror.share, mirror.appends_shadow, mirror.host_rewrite) == (b"b", 5, False, b"m")


def test_what_is_not_said():
    route = taken(one(Route(ANY, "a")))
    assert (route.idle_timeout_is_set, route.max_stream_duration_is_set, route.cors, route.mirrors) == (
        False,
        False,
        None,
        (),
    )
    assert route.header_rules == ()


def test_answers_of_the_proxy():
    assert taken(one(Route(ANY, direct_response=DirectResponse(200, b"x")))).body == b"x"
    assert taken(one(Route(ANY, redirect=Redirect(status=308)))).status == 308
    assert named("v", require_tls=RequireTls.ALL).require_tls is RequireTls.ALL


def test_a_destination():
    cluster = clusters("a")["a"]
    destination = Destination(cluster, b"h")
    assert (destination.cluster, destination.host_rewrite, destination.header_rules) == (cluster, b"h", ())
