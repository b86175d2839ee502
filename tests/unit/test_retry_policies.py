"""Reasons for a retry, and how long to wait for it."""

from typing import Any

import pytest

from fastproxy import model_routes
from fastproxy.model_routes import HeaderMatcher, ResetFormat, ResetHeader, StringMatch, StringMatcher
from fastproxy.retry_policies import RetryPolicy, reasons


def policy(*words: str, **fields: Any) -> RetryPolicy:
    return RetryPolicy(model_routes.RetryPolicy(words, **fields))


def head(status: int, *lines: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} X", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("words", "statuses"),
    [
        ((), set()),
        (("5xx",), {500, 501, 502, 503, 504, 599}),
        (("gateway-error",), {502, 503, 504}),
        (("retriable-4xx",), {409}),
        (("retriable-status-codes",), {404, 418}),
        (("reset", "connect-failure", "reset-before-request", "refused-stream", "envoy-ratelimited"), set()),
        (("retriable-4xx", "gateway-error"), {409, 502, 503, 504}),
    ],
)
def test_statuses(words, statuses):
    found = policy(*words, retriable_status_codes=(404, 418))
    asked = (200, 204, 304, 400, 404, 409, 418, 499, 500, 501, 502, 503, 504, 599)
    assert {status for status in asked if found.asks_again(head(status))} == statuses


def test_an_answer_of_a_rate_limiting_envoy():
    limited = head(503, "x-envoy-ratelimited: true")
    assert not policy("5xx", "gateway-error").asks_again(limited)
    assert policy("envoy-ratelimited").asks_again(limited)
    assert policy("envoy-ratelimited").asks_again(head(429, "x-envoy-ratelimited: true"))


@pytest.mark.parametrize(
    ("word", "status"),
    [("cancelled", 1), ("deadline-exceeded", 4), ("resource-exhausted", 8), ("internal", 13), ("unavailable", 14)],
)
def test_statuses_of_grpc(word, status):
    asked = [number for number in range(20) if policy(word).asks_again(head(200, f"grpc-status: {number}"))]
    assert asked == [status]
    assert not policy(word).asks_again(head(200))
    assert not policy(word).asks_again(head(200, "grpc-status: x"))


def test_headers_of_an_answer():
    matchers = (
        HeaderMatcher("x-again", StringMatcher(StringMatch.EXACT, "yes")), HeaderMatcher("x-busy"),
    )  # fmt: skip
    found = policy("retriable-headers", retriable_headers=matchers)
    assert found.asks_again(head(200, "X-Again: yes"))
    assert found.asks_again(head(200, "x-busy: 1"))
    assert not found.asks_again(head(200, "x-again: no"))
    assert not policy("5xx", retriable_headers=matchers).asks_again(head(200, "x-busy: 1"))


def test_words_are_bits():
    assert reasons(b"5xx, reset,nothing") == reasons(b"reset") | reasons(b"5xx")
    assert reasons(b"") == reasons(b"refused-stream") == 0
    assert policy("5xx", "reset").reasons == reasons(b"5xx,reset")


def test_the_back_off_grows_to_its_maximum():
    """As Envoy documents it: below 25, 75, 175, 250, 250 ms."""
    longest = [policy().delay(retry, 2**64 - 1 - (2**64 - 1) % limit - 1)
               for retry, limit in enumerate((25, 75, 175, 250, 250), 1)]  # fmt: skip
    assert longest == [24, 74, 174, 249, 249]
    assert policy().delay(1000, 249) == 249
    assert [policy(back_off_base_s=0.001, back_off_max_s=0.001).delay(each, 7) for each in (1, 2, 40)] == [0, 0, 0]


def test_delays_that_an_answer_states():
    resets = ResetHeader("retry-after"), ResetHeader("x-reset", ResetFormat.UNIX_TIMESTAMP)
    found = policy(reset_headers=resets, reset_max_s=60)
    assert found.stated_delay(head(503, "retry-after: 3"), 1000) == 3000
    assert found.stated_delay(head(503, "retry-after: 3"), 1000, 1499) == 4499
    assert found.stated_delay(head(503, "retry-after: 3"), 1000, 1500) == 3000
    assert found.stated_delay(head(503, "x-reset: 1010"), 1000) == 10000
    assert found.stated_delay(head(503, "retry-after: 61", "x-reset: 1010"), 1000) == 10000
    for line in ("retry-after: soon", "retry-after: 61", "x-reset: 999", "x-reset: 1061", "x-other: 1"):
        assert found.stated_delay(head(503, line), 1000) is None
    assert policy().stated_delay(head(503, "retry-after: 3"), 1000) is None


def test_times_are_never_nothing_when_they_are_set():
    found = policy(per_try_timeout_s=0.0001, per_try_idle_timeout_s=2)
    assert (found.per_try_timeout_ms, found.per_try_idle_timeout_ms) == (1, 2000)
    assert (policy().per_try_timeout_ms, policy().per_try_idle_timeout_ms) == (0, 0)
