"""Configurations and requests in the field that fastproxy and Envoy share, drawn by hypothesis.

What is drawn is valid to Envoy, and every choice of it can be told from outside: which node, status, location and
headers. Names and values come from small pools, so that routes and requests meet.
"""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

Json = dict[str, Any]

DOMAINS = ("a.example", "*.example", "api.*", "a.example:8080", "b.example", "*.b.example")
AUTHORITIES = (
    "a.example", "A.Example", "x.example", "api.v1", "a.example:8080", "b.example", "c.b.example", "other", "other:80",
    "a.example.", "127.0.0.1",
)  # fmt: skip
PREFIXES = ("/", "/a", "/a/", "/a/b", "/A", "/socket.io/", "/static")
PATHS = (
    "/", "/a", "/a/", "/a/b", "/A", "/a/b/c", "/ab", "/socket.io/", "/static/x.js", "/a//b", "/a/./b/../c",
    "/a/%2e%2e/b", "/x%20y", "/a%2Fb", "/%41", "/a;v=1",
)  # fmt: skip
QUERIES = ("", "?", "?x=1", "?x=2&y=1", "?y=", "?x", "?X=1", "?y=1&x=abc", "?x=a%20b")
HEADERS: dict[str, tuple[str, ...]] = {
    "x-user": ("1", "2", "abc", "", "Abc"),
    "x-num": ("5", "-3", "17", "abc", "05"),
    "cookie": ("sid=abc", 'sid="q"; b=2', "b=1", "b=1; sid=2"),
    "referer": ("http://h/1", "http://h/2?u=7"),
    "x-forwarded-for": ("10.1.2.3", "10.1.2.3, 8.8.8.8", "9.9.9.9,1.2.3.4,5.6.7.8"),
    "user-agent": ("curl/8",),
}
REGEXES = ("/a.*", "/[ab]", "/a/.+", ".*\\.js", "/(a|b)/?")
VALUES = ("1", "2", "abc", "a")
CLUSTERS = ("ring", "maglev", "weighted", "single")


@dataclass(frozen=True)
class Request:
    method: str
    authority: str
    target: str
    lines: tuple[tuple[str, str], ...]
    source: str

    def raw(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", f"Host: {self.authority}"]
        lines += [f"{name}: {value}" for name, value in self.lines]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode()


@st.composite
def requests(draw: DrawFn) -> Request:
    names = draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=4))
    lines = tuple((name, draw(st.sampled_from(HEADERS[name]))) for name in names)
    target = draw(st.sampled_from(PATHS)) + draw(st.sampled_from(QUERIES))
    source = draw(st.sampled_from(("127.0.0.1", "127.0.0.2", "127.0.0.3")))
    method = draw(st.sampled_from(("GET", "GET", "POST", "OPTIONS")))
    if method == "POST":
        lines = (*lines, ("Content-Length", "0"))
    return Request(method, draw(st.sampled_from(AUTHORITIES)), target, lines, source)


def string_matches() -> SearchStrategy[Json]:
    kinds = st.sampled_from(("exact", "prefix", "suffix", "contains"))
    plain = st.builds(lambda kind, value, ic: {kind: value, **({"ignore_case": True} if ic else {})},
                      kinds, st.sampled_from(VALUES), st.booleans())  # fmt: skip
    return plain | st.sampled_from(("[0-9]+", "a.*", "")).map(lambda regex: {"safe_regex": {"regex": regex or "1|2"}})


@st.composite
def header_matchers(draw: DrawFn) -> Json:
    match: Json = {"name": draw(st.sampled_from(("x-user", "x-num", "user-agent", ":method", ":authority")))}
    match |= draw(
        st.one_of(
            string_matches().map(lambda each: {"string_match": each}),
            st.just({"range_match": {"start": -5, "end": 17}}),
            st.booleans().map(lambda present: {"present_match": present}),
        )
    )
    if draw(st.booleans()):
        match["invert_match"] = True
    if draw(st.booleans()):
        match["treat_missing_header_as_empty"] = True
    return match


def query_matchers() -> SearchStrategy[Json]:
    text = string_matches().map(lambda each: {"string_match": each})
    kinds = text | st.booleans().map(lambda present: {"present_match": present})
    return st.builds(lambda name, kind: {"name": name, **kind}, st.sampled_from(("x", "y")), kinds)


@st.composite
def matches(draw: DrawFn) -> Json:
    kind = draw(st.sampled_from(("prefix", "prefix", "path", "safe_regex", "path_separated_prefix")))
    if kind == "safe_regex":
        match: Json = {"safe_regex": {"regex": draw(st.sampled_from(REGEXES))}}
    elif kind == "path_separated_prefix":
        match = {kind: draw(st.sampled_from(("/a", "/a/b", "/static")))}
    else:
        match = {kind: draw(st.sampled_from(PREFIXES))}
    if kind != "safe_regex" and draw(st.integers(0, 3)) == 0:
        match["case_sensitive"] = False
    if draw(st.integers(0, 2)) == 0:
        match["headers"] = draw(st.lists(header_matchers(), min_size=1, max_size=2))
    if draw(st.integers(0, 3)) == 0:
        match["query_parameters"] = draw(st.lists(query_matchers(), min_size=1, max_size=2))
    return match


def hash_policies() -> SearchStrategy[list[Json]]:
    each = st.one_of(
        st.sampled_from(("x-user", "referer", ":path", "x-added")).map(lambda name: {"header": {"header_name": name}}),
        st.just({"header": {"header_name": "x-user", "regex_rewrite": {
            "pattern": {"regex": "[0-9]"}, "substitution": "n"}}}),
        st.just({"cookie": {"name": "sid"}}),
        st.just({"query_parameter": {"name": "x"}}),
        st.just({"connection_properties": {"source_ip": True}}),
    )  # fmt: skip
    terminal = st.sampled_from(({}, {"terminal": True}))
    return st.lists(st.builds(lambda policy, end: {**policy, **end}, each, terminal), max_size=3)


@st.composite
def header_additions(draw: DrawFn, names: tuple[str, ...]) -> list[Json]:
    actions = ("APPEND_IF_EXISTS_OR_ADD", "ADD_IF_ABSENT", "OVERWRITE_IF_EXISTS_OR_ADD", "OVERWRITE_IF_EXISTS")
    values = ("fixed", "%PROTOCOL%", "a%%b", "%REQ(x-user)%")
    one = st.builds(lambda name, value, action: {"header": {"key": name, "value": value}, "append_action": action},
                    st.sampled_from(names), st.sampled_from(values), st.sampled_from(actions))  # fmt: skip
    return draw(st.lists(one, max_size=2))


@st.composite
def forwards(draw: DrawFn) -> Json:
    action: Json = {"cluster": draw(st.sampled_from(CLUSTERS)), "hash_policy": draw(hash_policies())}
    rewrite = draw(st.integers(0, 5))
    if rewrite == 0:
        action["prefix_rewrite"] = draw(st.sampled_from(("/", "/new", "/new/")))
    elif rewrite == 1:
        action["regex_rewrite"] = {"pattern": {"regex": "/(a|b)"}, "substitution": "/[\\1]"}
    host = draw(st.integers(0, 5))
    if host == 0:
        action["host_rewrite_literal"] = "other.example"
    elif host == 1:
        action["host_rewrite_header"] = "x-user"
    return action


def redirects() -> SearchStrategy[Json]:
    path = st.sampled_from(({}, {"path_redirect": "/there"}, {"path_redirect": "/there?z=1"}, {"prefix_rewrite": "/p"}))
    where = st.sampled_from(({}, {"https_redirect": True}, {"host_redirect": "h.example"}, {"port_redirect": 8443},
                             {"scheme_redirect": "ftp"}))  # fmt: skip
    codes = st.sampled_from(({}, {"response_code": "FOUND"}, {"response_code": "PERMANENT_REDIRECT"}))
    return st.builds(lambda a, b, c, strip: {**a, **b, **c, "strip_query": strip}, path, where, codes, st.booleans())


@st.composite
def routes(draw: DrawFn) -> Json:
    route: Json = {"match": draw(matches())}
    kind = draw(st.integers(0, 7))
    if kind == 0:
        route["redirect"] = draw(redirects())
    elif kind == 1:
        route["direct_response"] = {"status": draw(st.sampled_from((200, 204, 403))), "body": {"inline_string": "own"}}
        if route["direct_response"]["status"] == 204:
            del route["direct_response"]["body"]
    else:
        route["route"] = draw(forwards())
        route["request_headers_to_add"] = draw(header_additions(("x-added", "x-user")))
    route["response_headers_to_add"] = draw(header_additions(("x-answer", "x-node")))
    if draw(st.integers(0, 3)) == 0:
        route["request_headers_to_remove"] = ["x-num"]
    return route


@st.composite
def managers(draw: DrawFn) -> Json:
    """The fields of a connection manager: its virtual hosts, and how it treats heads."""
    domains = draw(st.lists(st.sampled_from(DOMAINS), unique=True, max_size=3))
    hosts = [
        {"name": f"v{i}", "domains": [domain], "routes": draw(st.lists(routes(), min_size=1, max_size=5))}
        for i, domain in enumerate(domains)
    ]
    hosts.append({"name": "default", "domains": ["*"], "routes": draw(st.lists(routes(), min_size=1, max_size=8))})
    manager: Json = {"route_config": {"name": "r", "virtual_hosts": hosts}}
    if draw(st.booleans()):
        manager["normalize_path"] = True
    if draw(st.integers(0, 2)) == 0:
        manager["merge_slashes"] = True
    slashes = ("KEEP_UNCHANGED", "UNESCAPE_AND_FORWARD", "UNESCAPE_AND_REDIRECT", "REJECT_REQUEST")
    manager["path_with_escaped_slashes_action"] = draw(st.sampled_from(slashes))
    manager["use_remote_address"] = draw(st.booleans())
    manager["xff_num_trusted_hops"] = draw(st.integers(0, 2))
    if draw(st.integers(0, 2)) == 0:
        manager["strip_any_host_port"] = True
    if draw(st.integers(0, 3)) == 0:
        manager["via"] = "proxy"
    return manager


@st.composite
def worlds(draw: DrawFn) -> tuple[Json, list[Request]]:
    """A connection manager and the requests that are sent to it."""
    return draw(managers()), draw(st.lists(requests(), min_size=30, max_size=60))
