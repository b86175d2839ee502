"""Regular expressions as RE2 understands them, and substitutions as its GlobalReplace makes them."""

import pytest

from fastproxy.regexes import BadRegex, Regex, Substitution


@pytest.mark.parametrize(
    ("pattern", "fits", "others"),
    [
        ("/b[io]t", [b"/bit", b"/bot"], [b"/bat", b"/bite", b"x/bit", b"/bit\n", b""]),
        ("/alt|/other", [b"/alt", b"/other"], [b"/altx", b"/xother"]),
        ("(?i)/ci", [b"/CI", b"/ci"], [b"/cii"]),
        ("^/a$", [b"/a"], [b"/a\n"]),
        ("[[:alpha:]]+", [b"abc"], [b"a1"]),
        (".", [b"a", "é".encode()], [b"ab", b"\n", b"\xff"]),
        ("", [b""], [b"a"]),
    ],
)
def test_the_whole_text_has_to_match(pattern, fits, others):
    regex = Regex(pattern)
    assert [regex.full_match(text) for text in fits] == [True] * len(fits)
    assert [regex.full_match(text) for text in others] == [False] * len(others)


def test_search_finds_it_anywhere():
    assert Regex("b+").search(b"abba")
    assert not Regex("^b").search(b"abba")


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "(", "a{1001}", "a++", "[[:nope:]]"])
def test_what_re2_does_not_have(pattern):
    with pytest.raises(BadRegex) as caught:
        Regex(pattern)
    assert str(caught.value)


def test_time_is_linear_in_the_text():
    """A backtracking matcher would need 2 to the power of 60 steps for this."""
    assert not Regex("(a|aa)+$").full_match(b"a" * 60 + b"!")
    assert Regex("(x+x+)+y").search(b"x" * 60) is False


@pytest.mark.parametrize(
    ("pattern", "substitution", "text", "result"),
    [
        ("a", "bb", b"banana", b"bbbnbbnbb"),
        ("^/([^/]+)/(.*)$", r"/\2/at/\1", b"/one/two/three", b"/two/three/at/one"),
        ("^/([^/]+)/(.*)$", r"/\2", b"/one", b"/one"),
        ("a(x)?", r"[\1]", b"aax", b"[][x]"),
        ("a", r"\0\0", b"ba", b"baa"),
        ("a", r"\\", b"ba", b"b\\"),
        ("x*", "-", b"abxc", b"-a-b-c-"),
        ("", "-", "aé".encode(), "-a-é-".encode()),
        ("x*", "-", b"\xff", b"-\xff-"),
        ("b", "", b"abc", b"ac"),
        ("(a)", r"\2", b"a", b"a"),
    ],
)
def test_replace_all(pattern, substitution, text, result):
    assert Regex(pattern).replace_all(text, Substitution(substitution)) == result


@pytest.mark.parametrize("text", [r"\x", "a\\", r"\ "])
def test_a_substitution_that_is_none(text):
    with pytest.raises(BadRegex, match="backslash"):
        Substitution(text)


def test_groups_that_a_substitution_names():
    assert Substitution(r"\1 \\ \3").groups == 3
    assert Substitution("plain").groups == 0
    assert Regex("(a)(b)").groups == 2


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        ("/b[io]t", "/b"), ("^/user/[0-9]+", "/user/"), ("/ab*", "/a"), ("/ab?c", "/a"), ("/ab{0,1}", "/a"),
        ("/ab+", "/ab"),
        ("/a|/b", ""), ("(?i)/a", ""), ("/plain", "/plain"), ("/a.b", "/a"), (r"/a\d", "/a"), ("", ""), ("a*", ""),
    ],
)  # fmt: skip
def test_how_matches_begin(pattern, prefix):
    assert Regex(pattern).literal_prefix == prefix
