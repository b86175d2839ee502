"""Fields that Envoy 1.40 has and the generated classes of `xds-protos` do not have yet.

`RouteMatch.cookies` is so close to `headers` that its matchers travel among those, under a name that no header
has. What a rate limit or a descriptor says in a newer field travels among its actions or entries in the same way.
"""

from collections.abc import Callable

from fastproxy.config import codes
from fastproxy.config.tree import Node, Report, describe, did_you_mean, shorten, words, wrap

COOKIE = ":cookie "
SHADOW_MODE = ":shadow_mode"
"""The key of an entry that says it of a LocalRateLimitDescriptor."""
X_RATELIMIT_OPTION = ":x_ratelimit_option"
"""The key of a generic_key that says it of a RateLimit."""
NEGATIVE_HITS = ":is_negative_hits"
"""The key of a generic_key that says it of the `hits_addend` of a RateLimit."""
ADDRESS_MATCH = "envoy.config.route.v3.RateLimit.Action.RemoteAddressMatch"
"""The type of a TypedStruct that has the members of such an action, in place of an `extension`."""

OPTIONS = ("UNSPECIFIED", "OFF", "DRAFT_VERSION_03")
_FIXED_VALUES = words(
    "generic_key genericKey header_value_match headerValueMatch query_parameter_value_match queryParameterValueMatch"
)
"""Actions of rate limits with a descriptor_value that is no format, unless Envoy is asked for that: see
envoy.reloadable_features.enable_formatter_for_ratelimit_action_descriptor_value."""
_AS_IT_IS = "has no effect, as in Envoy: its descriptor_value is taken as it is"
_HERE = "has no effect here: "
_ALPN = (("use_alpn_protocol", "useAlpnProtocol"), f"{_HERE}TLS is not spoken to hosts")
_DEGRADED = (
    ("detect_degraded_hosts", "detectDegradedHosts"),
    f"{_HERE}hosts are degraded by their checks and by the file",
)
_WITHOUT_EFFECT: dict[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(_FIXED_VALUES, (("default_value", "defaultValue"), _AS_IT_IS)),
    **dict.fromkeys(("health_checks", "healthChecks"), (("name",), f"{_HERE}nothing is told apart by it")),
    **dict.fromkeys(("http_health_check", "httpHealthCheck"), _ALPN),
    **dict.fromkeys(("outlier_detection", "outlierDetection"), _DEGRADED),
    "endpoint": (("observability_name", "observabilityName"), f"{_HERE}hosts are told of by their addresses"),
}
"""Fields by the key that their message stands under, and what to say of them."""
_COOKIE_FIELDS = {"name": "name", "string_match": "string_match", "stringMatch": "string_match"} | {
    "invert_match": "invert_match",
    "invertMatch": "invert_match",
}


def lift(root: Node, report: Report) -> None:
    """Turns the newer fields of a tree into ones that the classes know, in place."""
    for node in root.walk():
        _lift_address_match(node)
        _lift_sign_of_hits(node, report)
        for key in sorted(_WITHOUT_EFFECT.keys() & node.members().keys()):
            _drop(node.members()[key], *_WITHOUT_EFFECT[key], report)
        _lift_member(node, ("shadow_mode", "shadowMode"), "entries", _shadow_entry, report)
        _lift_member(node, ("x_ratelimit_option", "xRatelimitOption"), "actions", _option_action, report)
        match = node.get("match")
        cookies = match.get("cookies") if match is not None else None
        if match is not None and cookies is not None and isinstance(cookies.value, list):
            headers = match.get("headers")
            listed = headers.items() if headers is not None else []
            matchers = [_header_matcher(cookie, report) for cookie in cookies.items()]
            members = match.members()
            members["headers"] = (headers or cookies).with_value([*listed, *matchers])
            del members["cookies"]


def _lift_member(
    node: Node, names: tuple[str, str], among: str, made: Callable[[Node, Report], Node], report: Report
) -> None:
    """Have a member travel as the first item of the list `among` beside it."""
    members = node.members()
    for name in names:
        items = members.get(among)
        if name in members and items is not None and isinstance(items.value, list):
            members[among] = items.with_value([made(members.pop(name), report), *items.items()])


def _lift_address_match(node: Node) -> None:
    """Have an action of a rate limit that matches addresses travel as one of an extension."""
    members = node.members()
    for name in ("remote_address_match", "remoteAddressMatch"):
        if name in members and isinstance(members[name].value, dict):
            value = members.pop(name)
            struct = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": ADDRESS_MATCH, "value": value}
            members["extension"] = wrap(value, {"name": name, "typed_config": struct})


def _lift_sign_of_hits(node: Node, report: Report) -> None:
    """Have what says that hits are put back travel as the first of the actions beside them."""
    members = node.members()
    actions = node.get("actions")
    for hits in filter(None, (members.get("hits_addend"), members.get("hitsAddend"))):
        for name in ("is_negative_hits", "isNegativeHits"):
            if name in hits.members() and actions is not None and isinstance(actions.value, list):
                sign = hits.members().pop(name)
                members["actions"] = actions.with_value([_sign_action(sign, report), *actions.items()])


def _sign_action(value: Node, report: Report) -> Node:
    if not isinstance(value.value, bool):
        report.error(value, f"expected true or false, not {describe(value)}")
    text = "true" if value.value is True else "false"
    return wrap(value, {"generic_key": {"descriptor_key": NEGATIVE_HITS, "descriptor_value": text}})


def _drop(found: Node, fields: tuple[str, ...], said: str, report: Report) -> None:
    """Leave out fields of a message, or of the messages of a list, and say so where they are not as by default."""
    for message in found.items() or [found]:
        for dropped in [message.members().pop(field) for field in fields if field in message.members()]:
            if dropped.value:
                report.warning(dropped, said, code=codes.NO_EFFECT)


def _shadow_entry(value: Node, report: Report) -> Node:
    if not isinstance(value.value, bool):
        report.error(value, f"expected true or false, not {describe(value)}")
    text = "true" if value.value is True else "false"
    return value.with_value({"key": value.with_value(SHADOW_MODE), "value": value.with_value(text)})


def _option_action(value: Node, report: Report) -> Node:
    if value.value not in OPTIONS:
        report.error(value, f"expected {', '.join(OPTIONS)}, not {describe(value)}")
    text = value.value if isinstance(value.value, str) and value.value else "UNSPECIFIED"
    members = {"descriptor_key": value.with_value(X_RATELIMIT_OPTION), "descriptor_value": value.with_value(text)}
    return value.with_value({"generic_key": value.with_value(members)})


def _header_matcher(cookie: Node, report: Report) -> Node:
    """A cookie matcher in the form of one for a header."""
    members: dict[str, Node] = {}
    for key, member in cookie.members().items():
        if key in _COOKIE_FIELDS:
            members[_COOKIE_FIELDS[key]] = member
        else:
            hint = did_you_mean(key, ("name", "string_match", "invert_match"))
            report.error(member, f'there is no field "{shorten(key)}" in a cookie matcher{hint}', at_key=True)
    name = members.get("name")
    if name is None or not isinstance(name.value, str) or not name.value:
        report.error(name or cookie, "the name of a cookie is required here")
    if "string_match" not in members:
        report.error(cookie, '"string_match" is required here')
    text = name.value if name is not None and isinstance(name.value, str) else "?"
    members["name"] = (name or cookie).with_value(COOKIE + (text or "?"))
    return cookie.with_value(members)
