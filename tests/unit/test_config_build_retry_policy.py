"""Retry policies, from the file to the model."""

import pytest

from fastproxy.model_routes import HeaderMatcher, ResetFormat, ResetHeader, RetryPolicy, StringMatch, StringMatcher
from tests.unit.built_routes import built, hosts_of, only
from tests.unit.config_files import V3_ROUTE_PATH, errors, warnings

HOSTS = "type.googleapis.com/envoy.extensions.retry.host."
PREVIOUS = {
    "name": "envoy.retry_host_predicates.previous_hosts",
    "typed_config": {"@type": f"{HOSTS}previous_hosts.v3.PreviousHostsPredicate"},
}


def told(**policy):
    """The policy of the model, what is wrong with it and what is said of it: `(path below the policy, message)`."""
    found, report = built(only(route={"cluster": "nodes", "retry_policy": policy}))
    path = f"{V3_ROUTE_PATH}.route.retry_policy."
    said = [[(where.removeprefix(path), message) for where, message in each(report)] for each in (errors, warnings)]
    return found.virtual_hosts[0].routes[0].retry_policy, *said


def policy_of(**policy):
    found, wrong, _ = told(**policy)
    assert wrong == []
    return found


def test_everything():
    policy = {
        "retry_on": "5xx, connect-failure,reset", "num_retries": 3, "per_try_timeout": "1s",
        "per_try_idle_timeout": "2s", "retriable_status_codes": [409], "host_selection_retry_max_attempts": 5,
        "retry_back_off": {"base_interval": "0.1s"}, "retry_host_predicate": [PREVIOUS],
        "rate_limited_retry_back_off": {
            "reset_headers": [{"name": "Retry-After"}, {"name": "X-Reset", "format": "UNIX_TIMESTAMP"}],
            "max_interval": "9s",
        },
        "retriable_headers": [{"name": "X-Again", "string_match": {"exact": "yes"}}],
        "retriable_request_headers": [{"name": "x-may"}],
    }  # fmt: skip
    again = HeaderMatcher("x-again", StringMatcher(StringMatch.EXACT, "yes"))
    resets = ResetHeader("retry-after"), ResetHeader("x-reset", ResetFormat.UNIX_TIMESTAMP)
    words = ("5xx", "connect-failure", "reset")
    assert policy_of(**policy) == RetryPolicy(
        words, 3, 1.0, 2.0, (409,), 0.1, 1.0, 5, True, resets, 9.0, (again,), (HeaderMatcher("x-may"),)
    )


def test_what_is_left_out():
    assert policy_of() == RetryPolicy()
    assert policy_of(retry_back_off={"base_interval": "0.01s"}).back_off_max_s == pytest.approx(0.1)


def test_the_nearest_level_counts():
    found, _ = built(lambda d: hosts_of(d)[0].update(retry_policy={"retry_on": "reset"}))
    assert found.virtual_hosts[0].routes[0].retry_policy == RetryPolicy(("reset",))
    found, _ = built(lambda d: None)
    assert found.virtual_hosts[0].routes[0].retry_policy is None


@pytest.mark.parametrize(
    ("host", "route", "limit"),
    [
        ({}, {}, None),
        ({"per_request_buffer_limit_bytes": 7}, {}, 7),
        ({"per_request_buffer_limit_bytes": 7}, {"per_request_buffer_limit_bytes": 0}, 0),
        ({"request_body_buffer_limit": 9}, {}, 9),
        ({}, {"per_request_buffer_limit_bytes": 7, "request_body_buffer_limit": "9"}, 9),
    ],
)
def test_how_much_is_kept(host, route, limit):
    def change(document):
        hosts_of(document)[0].update(host)
        hosts_of(document)[0]["routes"][0].update(route)

    assert built(change)[0].virtual_hosts[0].routes[0].request_buffer_bytes == limit


def test_words_that_do_not_exist():
    found, _, said = told(retry_on="5xx,gateway-eror")
    assert found.retry_on == ("5xx",)
    assert said == [("retry_on", '"gateway-eror" is no reason for a retry; did you mean "gateway-error"?')]


def test_the_longest_back_off_is_no_shorter_than_the_first():
    _, wrong, _ = told(retry_back_off={"base_interval": "1s", "max_interval": "0.5s"})
    assert wrong == [("retry_back_off.max_interval", "has to be at least as long as base_interval")]


@pytest.mark.parametrize(("given", "used"), [({}, 1), ({"host_selection_retry_max_attempts": "1000"}, 1000)])
def test_how_many_hosts_are_looked_at(given, used):
    assert policy_of(**given).host_selection_retry_max_attempts == used


def test_so_many_hosts_are_looked_at_and_no_more():
    field = "host_selection_retry_max_attempts"
    found, _, said = told(**{field: str(2**40)})
    assert found.host_selection_retry_max_attempts == 1000
    assert said == [(field, "no more than 1000 hosts are looked at for one retry")]
    _, wrong, _ = told(**{field: "-1"})
    assert wrong == [(field, "cannot be negative")]
