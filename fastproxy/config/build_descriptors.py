"""What tells requests apart whose rate is limited: `rate_limits` of filters, virtual hosts and routes, and the
`descriptors` of a filter.

Envoy: config.route.v3.RateLimit, extensions.common.ratelimit.v3.LocalRateLimitDescriptor.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastproxy.config import codes
from fastproxy.config.build_address_match import build_address_match, build_request_format, is_address_match
from fastproxy.config.build_matchers import build_header_matcher, build_query_parameter
from fastproxy.config.newer_fields import NEGATIVE_HITS, SHADOW_MODE, X_RATELIMIT_OPTION
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View
from fastproxy.model_descriptors import ActionKind, DescriptorAction, DescriptorRule
from fastproxy.model_limits import DescriptorLimit, TokenBucket

_MIN_INTERVAL_S = 0.05  # Envoy's
_MOST_HITS = 1_000_000_000  # Envoy's
_KEYS = {
    "generic_key": "generic_key",
    "header_value_match": "header_match",
    "query_parameter_value_match": "query_match",
}
"""Of entries whose actions do not say another one."""
_PLAIN = ("source_cluster", "destination_cluster", "remote_address")
_NEVER = "is never counted, as in Envoy: this filter decides before the answer"
_OWN_ONLY = "it counts among the rate_limits of the filter itself"
_OPTIONS = {"OFF": False, "DRAFT_VERSION_03": True}


def build_bucket(view: View, report: Report) -> TokenBucket:
    interval_s = view.seconds("fill_interval", 1.0) or 1.0
    if interval_s < _MIN_INTERVAL_S:
        report.error(view.node_of("fill_interval"), "has to be at least 0.05s, as in Envoy")
    return TokenBucket(view.value("max_tokens"), view.wrapped("tokens_per_fill", 1), interval_s)


def build_descriptor_limits(view: View, report: Report) -> tuple[DescriptorLimit, ...]:
    """The descriptors that have buckets of their own."""
    found: dict[tuple[tuple[str, str], ...], DescriptorLimit] = {}
    for each in view.items("descriptors"):
        pairs = [(entry.value("key"), entry.value("value")) for entry in each.items("entries")]
        entries = tuple(pair for pair in pairs if pair[0] != SHADOW_MODE)
        if entries in found and not each.node.damaged:
            report.error(each.node, "this descriptor has a bucket already")
        bucket = build_bucket(each.child("token_bucket"), report)
        found[entries] = DescriptorLimit(entries, bucket, (SHADOW_MODE, "true") in pairs)
    return tuple(found.values())


def build_rules(view: View, stage: int, metadata: Mapping[str, Any], report: Report) -> tuple[DescriptorRule, ...]:
    """What `rate_limits` of a route or a virtual host make of requests at a stage. `metadata` is the route's."""
    found = []
    for each in view.items("rate_limits"):
        for field in ("hits_addend", "apply_on_stream_done"):
            if each.has(field):
                report.warning(each.node_of(field), f"has no effect, as in Envoy: {_OWN_ONLY}", code=codes.NO_EFFECT)
        if each.wrapped("stage", 0) == stage and not each.value("disable_key"):
            found.append(_rule(each, metadata, report))
    return tuple(rule for rule in found if rule is not None)


def build_own_rules(view: View, report: Report) -> tuple[DescriptorRule, ...]:
    """What a filter's own `rate_limits` make of requests."""
    found = []
    for each in view.items("rate_limits"):
        for field in ("stage", "disable_key", "limit"):
            if each.has(field):
                report.error(each.node_of(field), "is not taken among the rate_limits of a filter, as in Envoy")
        rule = _rule(each, {}, report)
        if each.value("apply_on_stream_done"):
            report.warning(each.node_of("apply_on_stream_done"), _NEVER, code=codes.NO_EFFECT)
        elif rule is not None:
            found.append(replace(rule, **_hits(each, report)))
    return tuple(found)


def _rule(view: View, metadata: Mapping[str, Any], report: Report) -> DescriptorRule | None:
    """One of `rate_limits`; None for one that never makes a descriptor."""
    actions: list[DescriptorAction] = []
    tells_clients = None
    for each in view.items("actions"):
        generic = each.child("generic_key")
        if generic.value("descriptor_key") == X_RATELIMIT_OPTION:
            tells_clients = _OPTIONS.get(generic.value("descriptor_value"))
            continue
        if generic.value("descriptor_key") == NEGATIVE_HITS:
            continue
        action, is_required = _action(each, metadata, report)
        if action is not None:
            actions.append(action)
        elif is_required:
            return None
    return DescriptorRule(tuple(actions), tells_clients=tells_clients)


def _hits(view: View, report: Report) -> dict[str, Any]:
    """How many tokens a request takes of the buckets of its descriptor, or puts back: fields of a DescriptorRule."""
    if not view.has("hits_addend"):
        return {}
    hits = view.child("hits_addend")
    if hits.has("format") == hits.has("number") and not hits.node.damaged:
        report.error(hits.node, "a number or a format has to say how many there are, as in Envoy; write one of them")
    gives_back = any(_is_sign(each.child("generic_key")) for each in view.items("actions"))
    return {"hits": _number_of_hits(hits, report), "hits_format": _hits_format(hits, report), "gives_back": gives_back}


def _is_sign(generic: View) -> bool:
    return (generic.value("descriptor_key"), generic.value("descriptor_value")) == (NEGATIVE_HITS, "true")


def _number_of_hits(hits: View, report: Report) -> int:
    number = int(hits.wrapped("number", 1))
    if not 0 < number <= _MOST_HITS:
        why = "with 0 no request would pass" if number == 0 else f"at most {_MOST_HITS}"
        report.error(hits.node_of("number"), f"has to be from 1 on, as in Envoy: {why}")
    return number


def _hits_format(hits: View, report: Report) -> str:
    """A single operator that tells a number of each request."""
    format: str = hits.value("format")
    if not format:
        return ""
    operators = build_request_format(hits.node_of("format"), format, report)
    if operators is None:
        return ""
    if [each.kind for each in operators] != ["request"]:
        report.error(hits.node_of("format"), 'has to be one operator that tells of a header, such as "%REQ(x-cost)%"')
        return ""
    return format


def _action(view: View, metadata: Mapping[str, Any], report: Report) -> tuple[DescriptorAction | None, bool]:
    """What makes an entry; None for one that makes none, and whether there is no descriptor then."""
    kind = view.message.WhichOneof("action_specifier") or ""
    settings = view.child(kind) if kind else view
    if kind in ("metadata", "dynamic_metadata"):
        return _of_metadata(settings, kind, metadata)
    if kind in _PLAIN:
        return DescriptorAction(ActionKind(kind), kind), True
    if kind == "generic_key":
        return _fixed(settings.value("descriptor_key") or _KEYS[kind], settings.value("descriptor_value")), True
    if kind == "request_headers":
        return _of_value(settings, ActionKind.REQUEST_HEADER, settings.value("header_name").lower()), True
    if kind == "query_parameters":
        return _of_value(settings, ActionKind.QUERY_PARAMETER, settings.value("query_parameter_name")), True
    if kind == "masked_remote_address":
        return _masked(settings, report), True
    if kind in _KEYS:
        return _of_match(settings, kind, report), True
    if kind == "extension" and is_address_match(settings):
        return build_address_match(settings.child("typed_config").node_of("value"), report), True
    if not view.node.damaged:
        what = "actions of extensions are not supported; write request_headers, or one of the others"
        report.error(view.node_of(kind), what, code=codes.UNSUPPORTED)
    return None, True


def _fixed(key: str, value: str) -> DescriptorAction:
    return DescriptorAction(ActionKind.FIXED, key, value)


def _of_value(view: View, kind: ActionKind, name: str) -> DescriptorAction:
    key, skips = view.value("descriptor_key"), view.value("skip_if_absent")
    return DescriptorAction(kind, key, name=name, skip_if_absent=skips)


def _masked(view: View, report: Report) -> DescriptorAction:
    bits = []
    for field, most in (("v4_prefix_mask_len", 32), ("v6_prefix_mask_len", 128)):
        bits.append(view.wrapped(field, most))
        if bits[-1] > most:
            report.error(view.node_of(field), f"has to be at most {most}")
    key = ActionKind.MASKED_REMOTE_ADDRESS.value
    return DescriptorAction(ActionKind.MASKED_REMOTE_ADDRESS, key, ipv4_bits=bits[0], ipv6_bits=bits[1])


def _of_match(view: View, kind: str, report: Report) -> DescriptorAction:
    key, value = view.value("descriptor_key") or _KEYS[kind], view.value("descriptor_value")
    expects = view.wrapped("expect_match", True)
    if kind == ActionKind.HEADER_MATCH.value:
        headers = tuple(build_header_matcher(each, report) for each in view.items("headers"))
        return DescriptorAction(ActionKind.HEADER_MATCH, key, value, headers=headers, expects_match=expects)
    parameters = tuple(build_query_parameter(each, report) for each in view.items("query_parameters"))
    return DescriptorAction(ActionKind.QUERY_MATCH, key, value, query_parameters=parameters, expects_match=expects)


def _of_metadata(view: View, kind: str, metadata: Mapping[str, Any]) -> tuple[DescriptorAction | None, bool]:
    """What the route's metadata say. No filter here leaves dynamic ones."""
    is_of_route = kind == "metadata" and view.enum_name("source") == "ROUTE_ENTRY"
    value = text_at(metadata, view.child("metadata_key")) if is_of_route else ""
    value = value or view.value("default_value")
    if value:
        return _fixed(view.value("descriptor_key"), value), True
    return None, not (kind == "metadata" and view.value("skip_if_absent"))


def text_at(metadata: Mapping[str, Any], key: View) -> str:
    """The text at a MetadataKey of `filter_metadata`; "" where there is none."""
    found: Any = metadata.get(key.value("key"))
    for segment in key.items("path"):
        found = found.get(segment.value("key")) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
