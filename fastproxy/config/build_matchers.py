"""What a request is compared with, from the v3 messages to the model: paths, headers, query parameters, cookies."""

import re
from contextlib import suppress

from fastproxy.config.newer_fields import COOKIE
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model_routes import (
    WHOLE,
    CookieMatcher,
    HeaderMatcher,
    QueryParameterMatcher,
    RegexRewrite,
    RouteMatch,
    StringMatch,
    StringMatcher,
)
from fastproxy.regexes import BadRegex, Regex, Substitution

URI_TEMPLATE = "envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"

_DENOMINATORS = {"HUNDRED": 100, "TEN_THOUSAND": 10_000, "MILLION": 1_000_000}
_OLD_HEADER_MATCHES = {
    "exact_match": StringMatch.EXACT,
    "prefix_match": StringMatch.PREFIX,
    "suffix_match": StringMatch.SUFFIX,
    "contains_match": StringMatch.CONTAINS,
}
_STRING_MATCHES = {kind.value: kind for kind in StringMatch}


def build_match(view: View, report: Report) -> RouteMatch:
    """The match of a route."""
    kind = view.message.WhichOneof("path_specifier")
    return RouteMatch(
        prefix=view.value("prefix") if kind in ("prefix", None) else None,
        path=view.value("path") if kind == "path" else None,
        separated_prefix=view.value("path_separated_prefix") if kind == "path_separated_prefix" else None,
        regex=build_regex(view.child("safe_regex"), report) if kind == "safe_regex" else None,
        template=_template(view, report) if kind == "path_match_policy" else None,
        case_sensitive=view.wrapped("case_sensitive", True),
        headers=tuple(build_header_matcher(item, report) for item in view.items("headers") if not cookie_name(item)),
        query_parameters=tuple(build_query_parameter(item, report) for item in view.items("query_parameters")),
        cookies=tuple(_cookie(item, report) for item in view.items("headers") if cookie_name(item)),
        share=build_share(view.child("runtime_fraction")) if view.has("runtime_fraction") else WHOLE,
        grpc=view.has("grpc"),
    )


def build_share(runtime: View, default: int = WHOLE) -> int:
    """A fraction of the requests, in millionths; what a runtime would say instead is not asked."""
    if not runtime.has("default_value"):
        return default
    fraction = runtime.child("default_value")
    denominator = _DENOMINATORS.get(fraction.enum_name("denominator"), 100)
    return min(int(fraction.value("numerator")) * WHOLE // denominator, WHOLE)


def build_regex(view: View, report: Report) -> str:
    """The pattern of a RegexMatcher, which RE2 must take."""
    text: str = view.value("regex")
    try:
        Regex(text)
    except BadRegex as error:
        report.error(view.node_of("regex"), f"no regular expression: {shorten(str(error))}")
    return text


def build_regex_rewrite(view: View, report: Report) -> RegexRewrite:
    """A pattern and what replaces its matches."""
    groups = 9  # as many as a substitution can name
    text: str = view.child("pattern").value("regex")
    build_regex(view.child("pattern"), report)
    with suppress(BadRegex):
        groups = Regex(text).groups
    substitution: str = view.value("substitution")
    node = view.node_of("substitution")
    try:
        if Substitution(substitution).groups > groups:
            report.warning(node, "names a group that the pattern does not have, so nothing is ever replaced")
    except BadRegex as error:
        report.error(node, str(error))
    return RegexRewrite(text, substitution)


def build_string_matcher(view: View, report: Report) -> StringMatcher:
    """How a value is compared."""
    kind = view.message.WhichOneof("match_pattern")
    if kind == "safe_regex":
        return StringMatcher(StringMatch.REGEX, build_regex(view.child("safe_regex"), report))
    if kind not in _STRING_MATCHES:
        return StringMatcher(StringMatch.EXACT, "")
    return StringMatcher(_STRING_MATCHES[kind], view.value(kind), view.value("ignore_case"))


def build_header_matcher(view: View, report: Report) -> HeaderMatcher:
    """What a header has to be."""
    name: str = view.value("name").lower()
    kind = view.message.WhichOneof("header_match_specifier")
    bounds = view.child("range_match")
    return HeaderMatcher(
        name=":authority" if name == "host" else name,
        value=_header_value(view, kind, report),
        range=(bounds.value("start"), bounds.value("end")) if kind == "range_match" else None,
        present=view.value("present_match") if kind == "present_match" else True,
        invert=view.value("invert_match"),
        missing_is_empty=view.value("treat_missing_header_as_empty"),
    )


def _header_value(view: View, kind: str | None, report: Report) -> StringMatcher | None:
    if kind == "string_match":
        return build_string_matcher(view.child("string_match"), report)
    if kind == "safe_regex_match":
        return StringMatcher(StringMatch.REGEX, build_regex(view.child("safe_regex_match"), report))
    if kind in _OLD_HEADER_MATCHES:
        return StringMatcher(_OLD_HEADER_MATCHES[kind], view.value(kind))
    return None


def build_query_parameter(view: View, report: Report) -> QueryParameterMatcher:
    kind = view.message.WhichOneof("query_parameter_match_specifier")
    return QueryParameterMatcher(
        name=view.value("name"),
        value=build_string_matcher(view.child("string_match"), report) if kind == "string_match" else None,
        present=view.value("present_match") if kind == "present_match" else True,
    )


def _cookie(view: View, report: Report) -> CookieMatcher:
    value = build_string_matcher(view.child("string_match"), report)
    return CookieMatcher(cookie_name(view), value, view.value("invert_match"))


def cookie_name(view: View) -> str:
    """The cookie that a header matcher stands for (see `newer_fields`); "" for a matcher of a header."""
    name: str = view.value("name")
    return name.removeprefix(COOKIE) if name.startswith(COOKIE) else ""


# --- URI templates ----------------------------------------------------------------------------------------------------

_TEMPLATE_PART = re.compile(r"/(\*\*|\*|\{(\w+)(?:=([^{}]+))?\}|[^/*{}]*)")
_SEGMENT = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+"


def _template(view: View, report: Report) -> str:
    """The template as a regular expression over the path: `*` is one segment, `**` the rest."""
    config = view.child("path_match_policy").child("typed_config")
    node = view.node_of("path_match_policy")
    if config.type_name != URI_TEMPLATE:
        if not node.damaged:
            report.error(node, f"only {URI_TEMPLATE} is supported here")
        return ""
    text: str = config.value("path_template")
    pattern = template_regex(text)
    if pattern is None:
        message = f'"{shorten(text)}" is no path template such as "/people/{{id}}/*"; ** may only come last'
        report.error(config.node_of("path_template"), message)
    return pattern or ""


def template_regex(template: str) -> str | None:
    """The regular expression of a path template; None when it is none.

    Source: Envoy's uri_template matcher: literals, `*`, `**`, `{name}` and `{name=pattern}`.
    """
    expanded = re.sub(r"\{(\w+)=([^{}]*)\}", r"\2", template)
    names = re.findall(r"\{(\w+)[}=]", template)
    expanded = re.sub(r"\{\w+\}", "*", expanded)
    if not expanded.startswith("/") or len(set(names)) < len(names) or re.search(r"[{}]|//", expanded):
        return None
    parts = []
    for segment in expanded[1:].split("/"):
        if "**" in parts or ("*" in segment and segment not in ("*", "**")):
            return None
        parts.append(segment)
    return "".join("/" + _part_regex(part) for part in parts)


def _part_regex(part: str) -> str:
    if part == "**":
        return r"(?:[a-zA-Z0-9\-._~%!$&'()+,;:@=/]*)"
    return _SEGMENT if part == "*" else re.escape(part)
