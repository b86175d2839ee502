"""Cookie matchers, which the generated classes do not know."""

import pytest

from fastproxy.config.newer_fields import COOKIE
from tests.unit.config_files import V3_ROUTE_PATH, errors, refused, v3_file, v3_route, view, warnings


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
