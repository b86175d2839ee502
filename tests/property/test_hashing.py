"""Any combination of hash policies against a small model of what Envoy's documentation says of it."""

from hypothesis import given
from hypothesis import strategies as st

from fastproxy._ring import xx_hash
from fastproxy.hashing import HashPolicies
from fastproxy.inspection import traced_hash
from fastproxy.model import (
    CookieHashPolicy,
    FilterStateHashPolicy,
    HashPolicy,
    HeaderHashPolicy,
    QueryParameterHashPolicy,
    SourceIpHashPolicy,
)

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.text(st.sampled_from("ab1%=,"), max_size=4)
POLICIES = st.lists(
    st.one_of(
        st.builds(HeaderHashPolicy, st.sampled_from(["x-a", "x-b", "x-c", ":path"]), st.booleans()),
        st.builds(CookieHashPolicy, NAMES, st.booleans()),
        st.builds(QueryParameterHashPolicy, NAMES, st.booleans()),
        st.builds(SourceIpHashPolicy, st.booleans()),
        st.builds(FilterStateHashPolicy, NAMES, st.booleans()),
    ),
    max_size=6,
)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=4)


def found(policy: HashPolicy, path: str, headers, cookies, query, client: str) -> list[str]:
    """What the policy hashes, one value seeding the next."""
    match policy:
        case HeaderHashPolicy(":path"):
            return [path]
        case HeaderHashPolicy(name):
            return sorted(value for other, value in headers if f"x-{other}" == name)
        case CookieHashPolicy(name):
            first = next((value for other, value in cookies if other == name), "")
            return [first] if first else []
        case QueryParameterHashPolicy(name):
            return [value for other, value in query if other == name][:1]
        case SourceIpHashPolicy():
            return [client] if client else []
    return []


def combined(policies, *request) -> int | None:
    digest = None
    for policy in policies:
        new = None
        for value in found(policy, *request):
            new = xx_hash(value.encode(), new or 0)
        if new is not None:
            digest = new if digest is None else (digest << 1 | digest >> 63) & (1 << 64) - 1 ^ new
        if digest is not None and policy.terminal:
            break
    return digest


@given(POLICIES, PAIRS, PAIRS, PAIRS, st.sampled_from(["", "10.1.2.3", "::1"]))
def test_combination(policies, headers, cookies, query, client):
    path = "/p?" + "&".join(f"{name}={value}" for name, value in query)
    lines = [f"x-{name}: {value}" for name, value in headers]
    lines += ["cookie: " + "; ".join(f"{name}={value}" for name, value in cookies)] if cookies else []
    head = "\r\n".join([f"GET {path} HTTP/1.1", "host: h", *lines, "", ""]).encode()
    digest, made, steps = traced_hash(HashPolicies(policies), head, client)
    assert digest == combined(policies, path, headers, cookies, query, client)
    assert made == []
    assert (steps[-1].combined if steps else None) == digest
    assert all(not step.ends for step in steps[:-1])
