"""Why a request takes the route that it takes, in words: asked by people, never by traffic.

Every decision is made by the very matchers that requests meet; only the words are written here.
"""

from libc.string cimport memset

from fastproxy.addresses cimport PeerAddress
from fastproxy.admission cimport TARGET_OK, read_target
from fastproxy.http1 cimport HEAD_OK, Head, parse_request
from fastproxy.matching cimport Conditions, CookieMatcher, HeaderMatcher, QueryParameterMatcher
from fastproxy.model_routes import StringMatch
from fastproxy.path_matching cimport path_fits
from fastproxy.request_facts cimport RequestFacts
from fastproxy.request_values cimport bare_length, cookie, is_shown, next_line, pseudo_header, query_parameter
from fastproxy.routing cimport ROUTE_DIRECT_RESPONSE, ROUTE_FORWARD, ROUTE_REDIRECT, Destination, Route, RouteTable, \
    VirtualHost
from fastproxy.slices cimport Slice

Explanation = PassedOver = dict  # of the fields that the .pyi file names

ACTIONS = {ROUTE_FORWARD: "forward", ROUTE_REDIRECT: "redirect", ROUTE_DIRECT_RESPONSE: "direct_response"}
PATH_WORDS = {
    "prefix": "prefix", "path": "exactly", "separated_prefix": "path-separated prefix", "regex": "a match of",
    "template": "a match of the template's",
}
STRING_WORDS = {
    StringMatch.EXACT: "exactly", StringMatch.PREFIX: "prefix", StringMatch.SUFFIX: "suffix",
    StringMatch.CONTAINS: "something with", StringMatch.REGEX: "a match of",
}


def explain(table: RouteTable, head: bytes, random: int = 0):
    """What happens to the request whose whole head is given: see Explanation in the .pyi file.

    `random` is the request's draw, for shares and weights. ValueError: no request that could be routed.
    """
    cdef RequestFacts facts
    cdef Head parsed
    cdef PeerAddress client
    cdef bytearray copy = bytearray(head)
    memset(&client, 0, sizeof(client))
    memset(&facts, 0, sizeof(facts))
    if parse_request(&parsed, copy, len(copy), 500) != HEAD_OK:
        raise ValueError("no request")
    if read_target(&parsed, True, &facts.path, &facts.authority) != TARGET_OK or facts.authority.data == NULL:
        raise ValueError("no target or no host")
    facts.head = &parsed
    facts.remote = &client
    facts.fd = -1
    facts.random = random
    return explained(table, &facts)


cdef dict explained(RouteTable table, const RequestFacts *facts):
    cdef dict found = dict.fromkeys(
        ("virtual_host", "domain", "number", "route", "status", "location", "cluster", "path", "host"))
    cdef VirtualHost host
    cdef Route route
    cdef int domain = table.domain(facts)
    found["passed_over"] = []
    found["action"] = "none"
    if domain < 0:
        return found
    host = table.virtual_hosts[table.domains.owners[domain]]
    found["virtual_host"] = host.name.decode()
    found["domain"] = table.domains.patterns[domain]
    if host.tls_redirect is not None and host.lacks_tls(facts):
        describe_action(found, host.tls_redirect, facts)
        return found
    for number, route in enumerate(host.routes):
        why = mismatch(route, facts)
        if why is None:
            found["number"] = number
            describe_action(found, route, facts)
            break
        found["passed_over"].append({"number": number, "name": route.name.decode(), "why": why})
    return found


cdef int describe_action(dict found, Route route, const RequestFacts *facts) except -1:
    cdef Destination destination
    found["route"] = route
    found["action"] = ACTIONS[route.action]
    if route.action == ROUTE_REDIRECT:
        found["status"], found["location"] = route.status, readable(route.location(facts))
    elif route.action == ROUTE_DIRECT_RESPONSE:
        found["status"] = route.status
    else:
        destination = route.choose(facts)
        if destination is None:
            found["status"] = route.missing_cluster_status
            return 0
        found["cluster"] = destination.cluster.name.decode()
        path, authority = route.rewritten_path(facts), route.rewritten_host(facts)
        if authority is None:
            authority = destination.host_rewrite
        found["path"] = readable(facts.path.data[:facts.path.length] if path is None else path)
        found["host"] = readable(facts.authority.data[:facts.authority.length] if authority is None else authority)


cdef str mismatch(Route route, const RequestFacts *facts):
    """The first thing about a request that a route does not take; None when it takes the request."""
    cdef size_t bare = bare_length(facts.path)
    cdef bint fits = path_fits(&route.matcher, facts.path, bare)
    if fits and route.regex is not None:
        fits = route.regex.full_match(facts.path.data[:bare])
    if not fits:
        return f"path: wanted {path_words(route.model.match)}, got {quoted(facts.path)}"
    return None if route.conditions is None else failed_condition(route.conditions, facts)


cdef str failed_condition(Conditions conditions, const RequestFacts *facts):
    cdef HeaderMatcher by_header
    cdef QueryParameterMatcher by_parameter
    cdef CookieMatcher by_cookie
    cdef Slice value
    if not conditions.takes_part(facts):
        return f"runtime_fraction: takes {float(conditions.share) / 10000:g} % of the requests, and not this one"
    for by_header in conditions.headers:
        if not by_header.holds(facts):
            return f"header {by_header.model.name}: wanted {header_words(by_header.model)}, " \
                f"got {lines(by_header.model.name, facts)}"
    for by_parameter in conditions.query_parameters:
        if not by_parameter.holds(facts):
            got = query_parameter(facts.path, by_parameter.name, len(by_parameter.name), &value)
            return f"query parameter {by_parameter.model.name}: wanted {value_words(by_parameter.model)}, " \
                f"got {quoted(value) if got else 'none'}"
    for by_cookie in conditions.cookies:
        if not by_cookie.holds(facts):
            got = cookie(facts.head, by_cookie.name, len(by_cookie.name), &value)
            words = string_words(by_cookie.model.value)
            return f"cookie {by_cookie.model.name}: wanted {'not ' * by_cookie.model.invert}{words}, " \
                f"got {quoted(value) if got else 'none'}"
    return None if conditions.hold(facts) else "grpc: wanted a content-type of gRPC"


cdef str quoted(Slice text):
    return '"' + readable(text.data[:text.length]) + '"'


cdef str readable(bytes text):
    return text.decode("utf-8", "backslashreplace")


cdef str lines(str name, const RequestFacts *facts):
    """The values of a header, as matchers see them."""
    cdef bytes encoded = name.encode()
    cdef Slice value
    cdef int line
    if name.startswith(":"):
        return quoted(value) if pseudo_header(&value, encoded, facts) else "none"
    found = []
    line = next_line(facts.head, encoded, len(encoded), 0) if is_shown(facts.head, encoded) else -1
    while line >= 0:
        found.append(quoted(facts.head.fields[line].value))
        line = next_line(facts.head, encoded, len(encoded), line + 1)
    return ", ".join(found) or "none"


def path_words(match):
    """What a RouteMatch wants of the path."""
    kind = next(kind for kind in PATH_WORDS if getattr(match, kind) is not None)
    ignoring = "" if match.case_sensitive or kind in ("regex", "template") else " in any case"
    return f'{PATH_WORDS[kind]} "{getattr(match, kind)}"{ignoring}'


def string_words(matcher):
    """What a StringMatcher wants."""
    return f'{STRING_WORDS[matcher.kind]} "{matcher.text}"{" in any case" if matcher.ignore_case else ""}'


def value_words(model):
    """What a matcher wants of something that may be absent."""
    if model.value is not None:
        return string_words(model.value)
    return "any value" if model.present else "none"


def header_words(model):
    """What a HeaderMatcher wants."""
    words = value_words(model) if model.range is None else f"a number from {model.range[0]} and below {model.range[1]}"
    return f"not {words}" if model.invert else words
