"""Hash policies of a route, or of a balancer that has its own, to the model."""

from collections.abc import Iterable

from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model import (
    CookieHashPolicy,
    FilterStateHashPolicy,
    HashPolicy,
    HeaderHashPolicy,
    QueryParameterHashPolicy,
    SourceIpHashPolicy,
)
from fastproxy.regexes import BadRegex, Regex, Substitution


def build_hash_policies(
    policies: Iterable[View], report: Report, filter_state: frozenset[str] | None = None
) -> tuple[HashPolicy, ...]:
    """The policies in their order. One on the connection that names no property hashes nothing and is left out.

    `filter_state` are the keys of what can be hashed there; None: not known.
    """
    built = (_policy(policy, report, filter_state) for policy in policies)
    return tuple(policy for policy in built if policy is not None)


def _policy(policy: View, report: Report, filter_state: frozenset[str] | None) -> HashPolicy | None:
    kind = policy.message.WhichOneof("policy_specifier")
    if kind is None:
        return None
    specifier, terminal = policy.child(kind), policy.value("terminal")
    match kind:
        case "header":
            return _header(specifier, terminal, report)
        case "cookie":
            return _cookie(specifier, terminal)
        case "query_parameter":
            return QueryParameterHashPolicy(specifier.value("name"), terminal)
        case "connection_properties":
            return SourceIpHashPolicy(terminal) if specifier.value("source_ip") else None
    key = specifier.value("key")
    if filter_state is not None and key not in filter_state:
        message = f'has no effect here: no filter leaves anything to hash as "{shorten(key)}" in the filter state'
        report.warning(specifier.node, message, at_key=True)
    return FilterStateHashPolicy(key, terminal)


def _header(header: View, terminal: bool, report: Report) -> HeaderHashPolicy:
    name = header.value("header_name").lower()
    if not header.has("regex_rewrite"):
        return HeaderHashPolicy(name, terminal)
    rewrite = header.child("regex_rewrite")
    pattern = rewrite.child("pattern")
    regex, substitution = pattern.value("regex"), rewrite.value("substitution")
    for kind, text, node in (
        (Regex, regex, pattern.node_of("regex")),
        (Substitution, substitution, rewrite.node_of("substitution")),
    ):
        try:
            kind(text)
        except BadRegex as error:
            report.error(node, str(error))
    return HeaderHashPolicy(name, terminal, regex, substitution)


def _cookie(cookie: View, terminal: bool) -> CookieHashPolicy:
    attributes = tuple((each.value("name"), each.value("value")) for each in cookie.items("attributes"))
    return CookieHashPolicy(
        cookie.value("name"), terminal, cookie.seconds("ttl", None), cookie.value("path"), attributes
    )
