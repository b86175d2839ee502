"""When a request is sent again, from the v3 message to the model (Envoy: config.route.v3.RetryPolicy)."""

from fastproxy.config.build_matchers import build_header_matcher
from fastproxy.config.build_retry_hosts import build_retry_hosts, build_update_frequency
from fastproxy.config.tree import Report, did_you_mean, shorten
from fastproxy.config.v3 import View
from fastproxy.model_routes import ResetFormat, ResetHeader, RetryPolicy

WORDS = (
    "5xx",
    "gateway-error",
    "reset",
    "reset-before-request",
    "connect-failure",
    "envoy-ratelimited",
    "retriable-4xx",
    "refused-stream",
    "retriable-status-codes",
    "retriable-headers",
    "http3-post-connect-failure",
    "cancelled",
    "deadline-exceeded",
    "internal",
    "resource-exhausted",
    "unavailable",
)
"""What `retry_on` may say, the words about gRPC last. `refused-stream` and `http3-...` never happen in HTTP/1.1."""

_BASE_S = 0.025
_MAX_FACTOR = 10
_RESET_MAX_S = 300.0
_MAX_HOST_ATTEMPTS = 1000


def build_retry_policy(view: View, report: Report) -> RetryPolicy:
    """The policy of a route or of a virtual host."""
    base_s, max_s = _back_off(view, report)
    hosts = build_retry_hosts(view, report)
    limited = view.child("rate_limited_retry_back_off")
    return RetryPolicy(
        retry_on=_words(view, report),
        num_retries=view.wrapped("num_retries", 1),
        per_try_timeout_s=view.seconds("per_try_timeout", None) or None,
        per_try_idle_timeout_s=view.seconds("per_try_idle_timeout", None) or None,
        retriable_status_codes=tuple(view.value("retriable_status_codes")),
        back_off_base_s=base_s,
        back_off_max_s=max_s,
        host_selection_retry_max_attempts=_host_attempts(view, report),
        avoids_previous_hosts=hosts.avoids_previous_hosts,
        reset_headers=tuple(_reset_header(item) for item in limited.items("reset_headers")),
        reset_max_s=limited.seconds("max_interval", None) or _RESET_MAX_S,
        retriable_headers=tuple(build_header_matcher(item, report) for item in view.items("retriable_headers")),
        retriable_request_headers=tuple(
            build_header_matcher(item, report) for item in view.items("retriable_request_headers")
        ),
        omits_canary_hosts=hosts.omits_canary_hosts,
        omitted_labels=tuple(hosts.omitted_labels),
        priority_update_frequency=build_update_frequency(view, report),
    )


def build_request_buffer(views: tuple[View, ...]) -> int | None:
    """How much of a request is kept, by the nearest level that says it; None: none does."""
    for view in views:
        for field in ("request_body_buffer_limit", "per_request_buffer_limit_bytes"):
            if view.has(field):
                return int(view.wrapped(field, 0))
    return None


def _words(view: View, report: Report) -> tuple[str, ...]:
    """The words of `retry_on`. Envoy leaves out what it does not know without a word of its own."""
    found = [word.strip() for word in view.value("retry_on").split(",") if word.strip()]
    for word in found:
        if word not in WORDS:
            hint = did_you_mean(word, WORDS)
            report.warning(view.node_of("retry_on"), f'"{shorten(word)}" is no reason for a retry{hint}')
    return tuple(word for word in found if word in WORDS)


def _host_attempts(view: View, report: Report) -> int:
    """How often a host that is rejected is chosen anew; bounded, so that a retry costs a millisecond at most."""
    attempts: int = view.value("host_selection_retry_max_attempts") or 1
    node = view.node_of("host_selection_retry_max_attempts")
    if attempts < 0:
        report.error(node, "cannot be negative")
    elif attempts > _MAX_HOST_ATTEMPTS:
        report.warning(node, f"no more than {_MAX_HOST_ATTEMPTS} hosts are looked at for one retry")
    return min(attempts, _MAX_HOST_ATTEMPTS)


def _back_off(view: View, report: Report) -> tuple[float, float]:
    back_off = view.child("retry_back_off")
    base_s = back_off.seconds("base_interval", _BASE_S) or _BASE_S
    max_s = back_off.seconds("max_interval", None) or base_s * _MAX_FACTOR
    if max_s < base_s:
        report.error(back_off.node_of("max_interval"), "has to be at least as long as base_interval")
    return base_s, max_s


def _reset_header(view: View) -> ResetHeader:
    return ResetHeader(view.value("name").lower(), ResetFormat[view.enum_name("format") or "SECONDS"])
