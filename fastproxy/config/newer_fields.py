"""Fields that Envoy 1.40 has and the generated classes of `xds-protos` do not have yet.

`RouteMatch.cookies` is so close to `headers` that its matchers travel among those, under a name that no header
has.
"""

from fastproxy.config.tree import Node, Report, did_you_mean, shorten

COOKIE = ":cookie "

_COOKIE_FIELDS = {"name": "name", "string_match": "string_match", "stringMatch": "string_match"} | {
    "invert_match": "invert_match",
    "invertMatch": "invert_match",
}


def lift(root: Node, report: Report) -> None:
    """Turns the newer fields of a tree into ones that the classes know, in place."""
    for node in root.walk():
        match = node.get("match")
        cookies = match.get("cookies") if match is not None else None
        if match is not None and cookies is not None and isinstance(cookies.value, list):
            headers = match.get("headers")
            listed = headers.items() if headers is not None else []
            matchers = [_header_matcher(cookie, report) for cookie in cookies.items()]
            members = match.members()
            members["headers"] = (headers or cookies).with_value([*listed, *matchers])
            del members["cookies"]


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
