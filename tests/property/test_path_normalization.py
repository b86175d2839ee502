"""Paths made of what is special in them: the same as a small twin in Python makes of them, and no more to be made."""

import re

from hypothesis import given
from hypothesis import strategies as st

from fastproxy.model import EscapedSlashesAction, Normalization
from fastproxy.path_normalization import Normalization as Normalizer

PIECES = st.sampled_from(
    ["/", "//", "\\", ".", "..", "%2e", "%2E", "%", "%2f", "%2F", "%5c", "%5C", "%00", "%41", "%30", "%3", "2", "e",
     "f", "g", "a", "0", "?", '"', "{", "[", "+", "%7e", "%20", "%ff"]
)  # fmt: skip
PATHS = st.lists(PIECES, max_size=25).map(lambda pieces: "/" + "".join(pieces))
MODELS = st.builds(
    Normalization,
    normalize_path=st.booleans(),
    merge_slashes=st.booleans(),
    escaped_slashes=st.sampled_from(EscapedSlashesAction),
)
ESCAPE = re.compile(r"%([0-9a-fA-F]{2})")
TOKEN = re.compile(r"%[0-9a-fA-F]{2}|.")
UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")
KEPT = re.compile(r"[A-Za-z0-9._~!$&'()*+,/:;=@\[\]%-]")


def decoded(token: str) -> str:
    return chr(int(token[1:], 16)) if len(token) == 3 else token


def twin(model: Normalization, path: str) -> tuple[str, str]:
    bare, mark, query = path.partition("?")
    outcome = "passes"
    if model.escaped_slashes != EscapedSlashesAction.KEEP_UNCHANGED:
        unescaped = re.sub("%2f", "/", re.sub("%5c", r"\\", bare, flags=re.IGNORECASE), flags=re.IGNORECASE)
        if unescaped != bare:
            if model.escaped_slashes == EscapedSlashesAction.REJECT_REQUEST:
                return "rejected", unescaped + mark + query
            if model.escaped_slashes == EscapedSlashesAction.UNESCAPE_AND_REDIRECT:
                outcome = "redirected"
        bare = unescaped
    if model.normalize_path:
        if "00" in ESCAPE.findall(bare):
            return "rejected", bare + mark + query
        bare = canonical(bare)
    if model.merge_slashes:
        bare = re.sub("/+", "/", bare) if bare.strip("/") else bare[:2]
    return outcome, bare + mark + query


def canonical(path: str) -> str:
    """Segment by segment, where the data plane goes byte by byte."""
    kept: list[str] = []
    segments = path.replace("\\", "/").split("/")[1:]
    for segment in segments:
        dots = "".join(map(decoded, TOKEN.findall(segment)))
        if dots == "..":
            kept = kept[:-1]
        elif dots != ".":
            kept.append(segment_of(segment))
    ends_open = re.fullmatch(r"(\.|%2e){1,2}", segments[-1], re.IGNORECASE)
    return "/" + "/".join([*kept, *([""] if ends_open and kept else [])])


def segment_of(segment: str) -> str:
    """Escapes of a segment as they should be; a percent sign that would begin one only now is escaped itself."""
    made: list[tuple[str, bool]] = []
    for token in TOKEN.findall(segment):
        if len(token) == 3:
            byte = decoded(token)
            made += [(byte, True)] if UNRESERVED.fullmatch(byte) else [(each, False) for each in token]
        else:
            made += [(token, False)] if KEPT.fullmatch(token) else [(each, False) for each in f"%{ord(token):02X}"]
    text = "".join(byte for byte, _ in made)
    new = [
        found.start()
        for found in re.finditer(r"%(?=[0-9a-fA-F]{2})", text)
        if any(was_escaped for _, was_escaped in made[found.start() + 1 : found.start() + 3])
    ]
    return "".join(byte + "25" * (at in new) for at, byte in enumerate(text))


@given(MODELS, PATHS)
def test_the_twin_agrees(model: Normalization, path: str) -> None:
    outcome, made = Normalizer(model, 200).path_of(path.encode())
    assert (outcome, made.decode()) == twin(model, path)


@given(PATHS)
def test_what_is_normal_stays(path: str) -> None:
    """No second proxy that normalizes sees another path."""
    normalizer = Normalizer(Normalization(normalize_path=True), 1000)
    outcome, made = normalizer.path_of(path.encode())
    if outcome == "passes":
        assert normalizer.path_of(made) == ("passes", made)


@given(PATHS)
def test_no_dot_segment_is_left(path: str) -> None:
    outcome, made = Normalizer(Normalization(normalize_path=True), 200).path_of(path.encode())
    bare = made.decode().partition("?")[0]
    assert outcome == "rejected" or not re.search(r"/(\.|%2e){1,2}(/|$)", bare, re.IGNORECASE)
