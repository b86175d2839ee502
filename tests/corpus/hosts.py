"""The Host field: who the request is for, said once and in bytes that a name may have (RFC 9112 section 3.2)."""

from tests.corpus.cases import RequestCase, Seen, forwarded, head, refused


def get(*lines: bytes) -> bytes:
    return head(*lines, host=b"")


def named(name: str, host: bytes) -> RequestCase:
    return forwarded(name, get(b"host: " + host), Seen(host=host))


GOOD = [
    named("a name", b"a.example"),
    named("a name with a port", b"a.example:8080"),
    named("a name in capitals", b"A.EXAMPLE"),
    named("an address", b"127.0.0.1"),
    named("an address of version 6", b"[::1]:80"),
    named("an underscore", b"a_b"),
    named("a dot at the end", b"a.example."),
    named("an empty port", b"a:"),
    named("a comma without a space", b"a,b"),
    named("an escape", b"a%20b"),
    forwarded("spaces around the name", get(b"host: \t a \t "), Seen()),
    forwarded("no space before the name", get(b"host:a"), Seen()),
    forwarded("Host in mixed case", get(b"hOsT: a"), Seen()),
    forwarded("Host behind other fields", get(b"x: y", b"host: a"), Seen(fields=((b"x", b"y"),))),
    forwarded("another name for it", get(b"host: a", b"x-forwarded-host: b"), Seen()),
]

BAD = [
    refused("no Host", get()),
    refused("no Host but other fields", get(b"x: y")),
    refused("two equal Hosts", get(b"host: a", b"host: a")),
    refused("two different Hosts", get(b"host: a", b"host: b")),
    refused("two Hosts, one empty", get(b"host: a", b"host:")),
    refused("two Hosts of different case", get(b"Host: a", b"HOST: b")),
    refused("two Hosts apart", get(b"host: a", b"x: y", b"host: b")),
    refused("three Hosts", get(b"host: a", b"host: b", b"host: c")),
    refused("a list of Hosts", get(b"host: a, b")),
    refused("Hosts with a space between", get(b"host: a b")),
    refused("Hosts with a tab between", get(b"host: a\tb")),
    refused("a folded Host", get(b"host: a", b" b")),
    refused("a Host on the next line", get(b"host:", b" a")).or_read(Seen()),
    refused("a Host with a space before its colon", get(b"host : a")),
    refused("a Host with a space before its name", get(b" host: a")),
    refused("a good Host and one with a space before its colon", get(b"host: a", b"host : b")),
    refused("a good Host and a folded one", get(b"host: a", b" host: b")),
    refused("a slash", get(b"host: a/b")),
    refused("a backslash", get(b"host: a\\b")),
    refused("a question mark", get(b"host: a?b")),
    refused("a number sign", get(b"host: a#b")),
    refused("an angle bracket", get(b"host: a<b>")),
    refused("quotes", get(b'host: "a"')),
    refused("a brace", get(b"host: {a}")),
    refused("a pipe", get(b"host: a|b")),
    refused("a caret", get(b"host: a^b")),
    refused("a backtick", get(b"host: a`b`")),
    refused("NUL", get(b"host: a\0b")),
    refused("NUL at the end", get(b"host: a\0")),
    refused("DEL", get(b"host: a\x7fb")),
    refused("a control byte", get(b"host: a\x01b")),
    refused("a bare CR", get(b"host: a\rb")),
    refused("a bare LF", get(b"host: a\nx: b")).or_read(Seen()),
    refused("a high byte", get(b"host: \xe4")),
    refused("UTF-8", get("host: \u00e4".encode())),
    refused("a URL", get(b"host: http://a/")),
    refused("a port of letters", get(b"host: a:x")),
    refused("a port with a sign", get(b"host: a:-1")),
    refused("two ports", get(b"host: a:80:81")),
    refused("a user", get(b"host: b@a:x")),
    refused("an open bracket", get(b"host: [::1")),
    refused("a word behind a bracket", get(b"host: [::1]a")),
    refused("an address of version 6 without brackets", get(b"host: ::1")),
]

CASES: tuple[RequestCase, ...] = (*GOOD, *BAD)
