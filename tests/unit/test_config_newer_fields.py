"""Cookie matchers, which the generated classes do not know."""

import pytest

from fastproxy.config.newer_fields import COOKIE
from tests.unit.config_files import (
    V3_CLUSTER_PATH,
    V3_ROUTE_PATH,
    errors,
    refused,
    v3_cluster,
    v3_file,
    v3_route,
    view,
    warnings,
)


def cookies(tmp_path, *matchers):
    document = v3_file()
    v3_route(document)["match"]["cookies"] = list(matchers)
    return refused(tmp_path, document)


def test_they_travel_among_the_headers():
    document = v3_file()
    v3_route(document)["match"]["cookies"] = [{"name": "sid", "string_match": {"exact": "a"}}]
    bootstrap, _ = view(document)
    [header] = [each for each in bootstrap.walk() if each.type_name == "envoy.config.route.v3.HeaderMatcher"]
    assert header.value("name") == f"{COOKIE}sid"
    assert header.node_of("string_match").path == f"{V3_ROUTE_PATH}.match.cookies[0].string_match"


@pytest.mark.parametrize(
    ("matcher", "path", "words"),
    [
        ({"name": "", "string_match": {"exact": "a"}}, "[0].name", "the name of a cookie is required"),
        ({"string_match": {"exact": "a"}}, "[0]", "the name of a cookie is required"),
        ({"name": "a"}, "[0]", '"string_match" is required'),
        ({"name": "a", "string_match": {"exact": "a"}, "invert_mach": True}, "[0].invert_mach", 'mean "invert_match"'),
        (
            {"name": "a", "string_match": {"safe_regex": {"regex": "("}}},
            "[0].string_match.safe_regex.regex",
            "missing )",
        ),
    ],
)
def test_mistakes_have_their_places(tmp_path, matcher, path, words):
    [problem] = cookies(tmp_path, matcher)
    assert problem.path == f"{V3_ROUTE_PATH}.match.cookies{path}"
    assert words in problem.message
    assert problem.line > 1
    assert problem.column > 1


def test_something_else_than_a_list_is_refused(tmp_path):
    document = v3_file()
    v3_route(document)["match"]["cookies"] = {"name": "a"}
    [problem] = refused(tmp_path, document)
    assert problem.path == f"{V3_ROUTE_PATH}.match.cookies"


@pytest.mark.parametrize(
    "action",
    [
        {"generic_key": {"descriptor_value": "v", "default_value": "d"}},
        {"queryParameterValueMatch": {"descriptorValue": "v", "defaultValue": "d", "queryParameters": [{"name": "q"}]}},
    ],
    ids=["snake case", "camel case"],
)
def test_default_values_of_what_is_no_format_have_no_effect(action):
    document = v3_file()
    v3_route(document)["route"]["rate_limits"] = [{"actions": [action]}]
    _, report = view(document)
    [name] = action
    [field] = [key for key in action[name] if key.startswith("default")]
    place = f"{V3_ROUTE_PATH}.route.rate_limits[0].actions[0].{name}.{field}"
    said = "has no effect, as in Envoy: its descriptor_value is taken as it is"
    assert (place, said) in warnings(report)
    assert errors(report) == []


def test_the_sign_of_hits_needs_a_truth():
    document = v3_file()
    limit = {
        "actions": [{"generic_key": {"descriptor_value": "v"}}],
        "hits_addend": {"number": 1, "is_negative_hits": "no"},
    }
    v3_route(document)["route"]["rate_limits"] = [limit]
    [problem] = errors(view(document)[1])
    assert problem == (
        f"{V3_ROUTE_PATH}.route.rate_limits[0].hits_addend.is_negative_hits",
        'expected true or false, not the text "no"',
    )


CHECK = {"timeout": "1s", "interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1}


@pytest.mark.parametrize("camel_case", [False, True], ids=["snake case", "camel case"])
@pytest.mark.parametrize(
    ("cluster", "path", "why"),
    [
        (
            {"health_checks": [{**CHECK, "tcp_health_check": {}, "name": "a"}]},
            "health_checks[0].name",
            "nothing is told apart by it",
        ),
        (
            {"health_checks": [{**CHECK, "http_health_check": {"path": "/", "use_alpn_protocol": True}}]},
            "health_checks[0].http_health_check.use_alpn_protocol",
            "TLS is not spoken to hosts",
        ),
        (
            {"outlier_detection": {"detect_degraded_hosts": True}},
            "outlier_detection.detect_degraded_hosts",
            "hosts are degraded by their checks and by the file",
        ),
    ],
    ids=["name", "alpn", "degraded"],
)
def test_what_has_no_effect_is_told_where_it_would_have_one(cluster, path, why, camel_case):
    document = v3_file()
    v3_cluster(document).update(in_camel_case(cluster) if camel_case else cluster)
    _, report = view(document)
    assert errors(report) == []
    place = f"{V3_CLUSTER_PATH}.{path}"
    if camel_case:
        place = f"{V3_CLUSTER_PATH}.{'.'.join(camel(part) for part in path.split('.'))}"
    assert (place, f"has no effect here: {why}") in warnings(report)


def camel(name):
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def in_camel_case(value):
    if isinstance(value, dict):
        return {camel(key): in_camel_case(member) for key, member in value.items()}
    return [in_camel_case(each) for each in value] if isinstance(value, list) else value


def test_what_is_as_by_default_needs_no_words():
    document = v3_file()
    v3_cluster(document)["outlier_detection"] = {"detect_degraded_hosts": False}
    endpoint = v3_cluster(document)["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
    endpoint["observability_name"] = ""
    _, report = view(document)
    assert errors(report) == warnings(report) == []
    endpoint["observability_name"] = "a"
    [(place, _)] = warnings(view(document)[1])
    assert place.endswith("endpoint.observability_name")
