"""The action `remote_address_match` of a rate limit, and formats that tell something of a request.

The generated classes do not know that action yet (`newer_fields`), so its members are checked here. Envoy:
config.route.v3.RateLimit.Action.RemoteAddressMatch, type.matcher.v3.AddressMatcher, xds.core.v3.CidrRange.
"""

from fastproxy.config.addresses import is_range
from fastproxy.config.build_affinity import TYPED_STRUCT
from fastproxy.config.build_filters import format_problem
from fastproxy.config.newer_fields import ADDRESS_MATCH
from fastproxy.config.own_values import flag, whole
from fastproxy.config.tree import Node, Report, describe, did_you_mean, shorten
from fastproxy.config.v3 import View
from fastproxy.log_format import Operator, compile_format, reads_request
from fastproxy.model_descriptors import ActionKind, DescriptorAction

_KEY = "remote_address_match"
_MEMBERS = ("descriptor_value", "descriptor_key", "default_value", "address_matcher")
_MATCHER = ("ranges", "invert_match")
_RANGE = ("address_prefix", "prefix_len")
_BITS = 128


def is_address_match(extension: View) -> bool:
    """Whether an extension is such an action, as it travels."""
    config = extension.child("typed_config")
    return config.type_name == TYPED_STRUCT and config.value("type_url") == ADDRESS_MATCH


def build_address_match(node: Node, report: Report) -> DescriptorAction | None:
    """The action; None, reported, where it is not whole."""
    members = _members(node, _MEMBERS, "remote_address_match", report)
    matcher = members.get("address_matcher")
    value = _text(members, "descriptor_value", report)
    for field in ("descriptor_value", "address_matcher"):
        if field not in members:
            report.error(node, f'"{field}" is required here')
    if not value or matcher is None:
        return None
    operators = build_request_format(members["descriptor_value"], value, report)
    inner = _members(matcher, _MATCHER, "address_matcher", report)
    inverted = flag(inner["invert_match"], report) if "invert_match" in inner else False
    ranges = [_range(each, report) for each in _list(inner.get("ranges"), report)]
    if operators is None:
        return None
    return DescriptorAction(
        ActionKind.REMOTE_ADDRESS_MATCH,
        _text(members, "descriptor_key", report) or _KEY,
        value,
        expects_match=not inverted,
        ranges=tuple(each for each in ranges if each),
        default_value=_text(members, "default_value", report),
    )


def build_request_format(node: Node, text: str, report: Report) -> list[Operator] | None:
    """The operators of a format that a request is asked for before its route is known; None, reported, where it cannot
    be asked for them."""
    problem = format_problem(text)
    operators = [] if problem else compile_format(text, "")
    if not problem and not all(reads_request(each) for each in operators):
        problem = "only REQ and DOWNSTREAM_REMOTE_ADDRESS are known when the rate is limited"
    if problem:
        report.error(node, problem)
        return None
    return operators


def _members(node: Node, known: tuple[str, ...], where: str, report: Report) -> dict[str, Node]:
    """The members of a mapping by their names in snake_case."""
    if not isinstance(node.value, dict):
        report.error(node, f"expected an object, not {describe(node)}")
    names = {_camel_case(name): name for name in known} | {name: name for name in known}
    found = {}
    for key, member in node.members().items():
        if key not in names:
            hint = did_you_mean(key, known)
            report.error(member, f'there is no field "{shorten(key)}" in {where}{hint}', at_key=True)
        elif member.value is not None:
            found[names[key]] = member
    return found


def _camel_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def _text(members: dict[str, Node], name: str, report: Report) -> str:
    node = members.get(name)
    if node is None:
        return ""
    if not isinstance(node.value, str):
        report.error(node, f"expected a text, not {describe(node)}")
        return ""
    if name == "descriptor_value" and not node.value:
        report.error(node, "must not be empty")
    return node.value


def _list(node: Node | None, report: Report) -> list[Node]:
    if node is not None and not isinstance(node.value, list):
        report.error(node, f"expected a list, not {describe(node)}")
    return [] if node is None else node.items()


def _range(node: Node, report: Report) -> str:
    """A range of addresses; "", reported, for what is none."""
    members = _members(node, _RANGE, "a range", report)
    prefix = _text(members, "address_prefix", report)
    length = whole(members["prefix_len"], 0, _BITS, "", report) if "prefix_len" in members else 0
    text = f"{prefix}/{length}"
    if length is not None and not is_range(text):
        report.error(node, f'"{shorten(text)}" is no range of IP addresses; 10.0.0.0 with prefix_len 8 is one')
        return ""
    return text if length is not None else ""
