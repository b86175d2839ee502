"""Whatever stands under `learn`: each mistake has its place, what is built is whole, and nothing else happens."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fastproxy.config.build_session_protocols import build_protocols
from tests.unit.config_files import errors, tree

NAMES = st.sampled_from(["", "a", "A-b", "a b", "a=b", "é", "\x00", "x" * 300])
KINDS = st.sampled_from(["cookie", "header", "query", "json", "event", "sockjs", "mcp", "other", ""])
TEXTS = st.one_of(KINDS, st.builds("{}:{}".format, KINDS, NAMES))
ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 10**7), st.floats(allow_nan=False, allow_infinity=False), TEXTS
)
VALUES: st.SearchStrategy[Any] = st.one_of(ATOMS, st.lists(ATOMS, max_size=4))
KEYS = st.sampled_from(["name", "issued", "returned", "lifetime", "lifetme"])
ENTRIES = st.one_of(TEXTS, TEXTS, VALUES, st.dictionaries(KEYS, VALUES, max_size=5))


@given(st.lists(ENTRIES, max_size=6))
def test_any_list(entries: list[Any]) -> None:
    node, report = tree(json.dumps(entries))
    found = build_protocols(node, report)
    assert len({protocol.name for protocol in found}) == len(found)
    for protocol in found:
        assert protocol.issued
        assert protocol.returned
        assert 1 <= protocol.lifetime_s <= 5 * 86400
    if not errors(report):
        assert len(found) == len(entries)
    for path, message in errors(report):
        assert path.startswith("[")
        assert message
