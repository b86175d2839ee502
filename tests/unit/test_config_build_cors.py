"""CORS policies: only with the filter, and of the nearest level."""

from fastproxy.model_routes import CorsPolicy, StringMatch, StringMatcher
from tests.unit.built_routes import built, failed, hosts_of
from tests.unit.config_files import V3_MANAGER_PATH, V3_ROUTE_PATH, v3_manager, v3_route

CORS = "type.googleapis.com/envoy.extensions.filters.http.cors.v3."
GZIP = "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.CompressorPerRoute"
FILTER_CONFIG = "type.googleapis.com/envoy.config.route.v3.FilterConfig"
FILTER = {"name": "cors", "typed_config": {"@type": f"{CORS}Cors"}}


def policy(origin="http://a", **fields):
    return {"@type": f"{CORS}CorsPolicy", "allow_origin_string_match": [{"exact": origin}], **fields}


def cors_of(change, filters=(FILTER,)):
    def with_filter(document):
        v3_manager(document)["http_filters"][:0] = filters
        change(document)

    found, _ = built(with_filter)
    return found.virtual_hosts[0].routes[0].cors


def origin(text):
    return (StringMatcher(StringMatch.EXACT, text),)


def test_a_policy_needs_the_filter():
    def change(document):
        v3_route(document)["typed_per_filter_config"] = {"cors": policy()}

    assert cors_of(change) == CorsPolicy(origin("http://a"))
    assert cors_of(change, ()) is None
    assert cors_of(change, ({**FILTER, "disabled": True},)) is None


def test_everything_that_a_policy_says():
    fields = {
        "allow_methods": "GET", "allow_headers": "x-a", "expose_headers": "x-b", "max_age": "5",
        "allow_credentials": True,
        "allow_private_network_access": True, "forward_not_matching_preflights": False,
        "filter_enabled": {"default_value": {"numerator": 50}}, "shadow_enabled": {"default_value": {"numerator": 1}},
    }  # fmt: skip
    found = cors_of(lambda d: v3_route(d).update(typed_per_filter_config={"cors": policy(**fields)}))
    assert found == CorsPolicy(origin("http://a"), "GET", "x-a", "x-b", "5", True, True, False, 500_000, 10_000)


def test_the_nearest_level_wins():
    def change(document):
        v3_manager(document)["route_config"]["typed_per_filter_config"] = {"cors": policy("http://table")}
        hosts_of(document)[0]["typed_per_filter_config"] = {"cors": policy("http://host")}

    assert cors_of(change).origins == origin("http://host")

    def nearer(document):
        change(document)
        v3_route(document)["route"]["cors"] = {"allow_origin_string_match": [{"exact": "http://route"}]}

    assert cors_of(nearer).origins == origin("http://route")


def test_a_route_may_turn_it_off():
    def change(document):
        hosts_of(document)[0]["typed_per_filter_config"] = {"cors": policy()}
        v3_route(document)["typed_per_filter_config"] = {"cors": {"@type": FILTER_CONFIG, "disabled": True}}

    assert cors_of(change) is None


def test_a_filter_config_around_a_policy():
    around = {"@type": FILTER_CONFIG, "config": policy()}
    assert cors_of(lambda d: v3_route(d).update(typed_per_filter_config={"cors": around})) is not None


def test_settings_of_other_filters_are_refused():
    settings = {"envoy.filters.http.compressor": {"@type": GZIP, "disabled": True}}
    for change, path in (
        (lambda d: v3_route(d).update(typed_per_filter_config=settings), V3_ROUTE_PATH),
        (lambda d: hosts_of(d)[0].update(typed_per_filter_config=settings), V3_ROUTE_PATH.rpartition(".")[0]),
        (
            lambda d: v3_manager(d)["route_config"].update(typed_per_filter_config=settings),
            f"{V3_MANAGER_PATH}.route_config",
        ),
    ):
        [(where, message)] = failed(change)
        assert where == f'{path}.typed_per_filter_config["envoy.filters.http.compressor"]'
        assert "are not supported" in message
