"""Paths and authorities as Envoy makes them: what it was asked about, and the rules in small."""

import socket

import pytest

from fastproxy.model import EscapedSlashesAction, Normalization, StripPort
from fastproxy.path_normalization import Normalization as Normalizer

NORMALIZE = Normalization(normalize_path=True)
MERGE = Normalization(merge_slashes=True)
BOTH = Normalization(normalize_path=True, merge_slashes=True)


def path_of(model: Normalization, path: str) -> str:
    outcome, made = Normalizer(model, 1000).path_of(path.encode())
    return made.decode() if outcome == "passes" else f"{outcome} {made.decode()}"


def authority_of(model: Normalization, authority: str, fd: int = -1) -> str:
    return Normalizer(model, 1000).authority_of(authority.encode(), fd).decode()


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("/", "/"),
        ("/a/b?x=../y//%2e", "/a/b?x=../y//%2e"),
        ("/a/./b/../c", "/a/c"),
        ("/../../a", "/a"),
        ("/a/..", "/"),
        ("/a/b/..", "/a/"),
        ("/a/.", "/a/"),
        ("/a//..", "/a/"),
        ("//../..//b", "//b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e?", "/?"),
        ("/a/.../..b/b../.c", "/a/.../..b/b../.c"),
        ("/a\\..\\b\\c", "/b/c"),
        ("/%61%7E%2D%2b", "/a~-%2b"),
        ("/a%2f..%5Cb", "/a%2f..%5Cb"),
        ('/"<>^`{|}', "/%22%3C%3E%5E%60%7B%7C%7D"),
        ("/!$&'()*+,:;=@[]", "/!$&'()*+,:;=@[]"),
        ("/%/%%/%2/%zz", "/%/%%/%2/%zz"),
        ("/%%300", "/%2500"),
        ("/%%30%30", "/%2500"),
        ("/%%30g", "/%0g"),
        ("/%4%31x", "/%2541x"),
        ("/%%2e", "/%."),
        ("/%/../%31", "/1"),
        ("/a/%00/../b?c", "rejected /a/%00/../b?c"),
    ],
)
def test_normalize_path(path, made):
    assert path_of(NORMALIZE, path) == made


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("/a//b///c//", "/a/b/c/"),
        ("//a", "/a"),
        ("/", "/"),
        ("//", "//"),
        ("////?x=//", "//?x=//"),
        ("/a/..//b", "/a/../b"),
        ("/a?b//c", "/a?b//c"),
    ],
)
def test_merge_slashes(path, made):
    assert path_of(MERGE, path) == made


def test_slashes_are_merged_behind_dot_segments():
    assert path_of(BOTH, "/a\\/b/.//..//c") == "/a/b/c"
    assert path_of(BOTH, "//..//b") == "/b"


@pytest.mark.parametrize(
    ("action", "path", "made"),
    [
        (EscapedSlashesAction.KEEP_UNCHANGED, "/a%2Fb", "/a%2Fb"),
        (EscapedSlashesAction.REJECT_REQUEST, "/a%2Fb?x", "rejected /a/b?x"),
        (EscapedSlashesAction.REJECT_REQUEST, "/a%5cb", "rejected /a\\b"),
        (EscapedSlashesAction.REJECT_REQUEST, "/a/b?%2F", "/a/b?%2F"),
        (EscapedSlashesAction.REJECT_REQUEST, "/a%2", "/a%2"),
        (EscapedSlashesAction.UNESCAPE_AND_REDIRECT, "/a%2f..%2F?%2F", "redirected /a/../?%2F"),
        (EscapedSlashesAction.UNESCAPE_AND_REDIRECT, "/a/..", "/a/.."),
        (EscapedSlashesAction.UNESCAPE_AND_FORWARD, "/%41%2f%%2F2F", "/%41/%/2F"),
    ],
)
def test_escaped_slashes(action, path, made):
    assert path_of(Normalization(escaped_slashes=action), path) == made


def test_escaped_slashes_are_decoded_before_all_else():
    def all_with(action):
        return Normalization(normalize_path=True, merge_slashes=True, escaped_slashes=action)

    assert path_of(all_with(EscapedSlashesAction.UNESCAPE_AND_FORWARD), "/a%2f..%5c/b") == "/b"
    assert path_of(all_with(EscapedSlashesAction.UNESCAPE_AND_REDIRECT), "/a%2f..%5c/b") == "redirected /b"
    assert path_of(all_with(EscapedSlashesAction.UNESCAPE_AND_REDIRECT), "/a/../b") == "/b"
    assert path_of(all_with(EscapedSlashesAction.UNESCAPE_AND_REDIRECT), "/a%2f%00") == "rejected /a/%00"


def test_the_longest_path_that_a_head_can_have():
    path = b"/" + b'"' * 99
    assert Normalizer(NORMALIZE, 100).path_of(path) == ("passes", b"/" + b"%22" * 99)
    assert Normalizer(NORMALIZE, 100).path_of(path + b"x")[0] == "rejected"


@pytest.mark.parametrize(
    ("authority", "made"),
    [
        ("a", "a"),
        ("a:80", "a"),
        ("a:+0080", "a"),
        ("a:4294967295", "a"),
        ("a:4294967296", "a:4294967296"),
        ("a:99999999999999999999", "a:99999999999999999999"),
        ("a:", "a:"),
        ("a:+", "a:+"),
        ("a:-1", "a:-1"),
        ("a:b", "a:b"),
        ("a:1:2", "a:1"),
        ("::1", ":"),
        (":80", ""),
        ("[::1]", "[::1]"),
        ("[::1]:80", "[::1]"),
        ("[a:80", "[a"),
        ("a.:80", "a."),
        ("", ""),
    ],
)
def test_strip_any_host_port(authority, made):
    assert authority_of(Normalization(strip_port=StripPort.ANY), authority) == made


def test_strip_matching_host_port():
    model = Normalization(strip_port=StripPort.MATCHING)
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        assert authority_of(model, f"a:{port}", ours.fileno()) == "a"
        assert authority_of(model, f"[::1]:0{port}", ours.fileno()) == "[::1]"
        assert authority_of(model, f"a:{port + 1}", ours.fileno()) == f"a:{port + 1}"
        assert authority_of(model, "a", ours.fileno()) == "a"


@pytest.mark.parametrize(
    ("authority", "made"),
    [
        ("a.b", "a.b"),
        ("a.b.", "a.b"),
        ("a..", "a."),
        ("a.b.:80", "a.b:80"),
        ("a..:80", "a.:80"),
        ("a.:x", "a:x"),
        ("a.b:80", "a.b:80"),
        ("[::1].", "[::1]"),
        (".", ""),
        (".:80", ":80"),
        ("", ""),
    ],
)
def test_strip_trailing_host_dot(authority, made):
    assert authority_of(Normalization(strip_trailing_host_dot=True), authority) == made


def test_the_dot_goes_before_the_port():
    assert authority_of(Normalization(strip_trailing_host_dot=True, strip_port=StripPort.ANY), "a.b.:80") == "a.b"


def test_an_authority_that_no_head_has_room_for():
    assert Normalizer(Normalization(strip_trailing_host_dot=True), 3).authority_of(b"abc.:80") == b"abc.:80"
