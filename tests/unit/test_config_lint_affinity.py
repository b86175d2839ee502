"""Advice about what our own filter says of sessions, at a listener and at routes."""

import pytest

from tests.unit.config_files import V3_MANAGER_PATH, V3_ROUTE_PATH, advised, v3_manager
from tests.unit.test_config_lint_sessions import ROUTER, settings, setup

LAX = [{"name": "SameSite", "value": "Lax"}]


def cookie(**fields):
    return {"hash_policy": [{"cookie": {"name": "a", **fields}}]}


def ours(**value):
    return {"http_filters": [{"name": "fastproxy", "typed_config": settings(**value)}, ROUTER]}


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (
            setup(manager=ours(max_asked_body_bytes=999_999)),
            (
                "FP123",
                f"{V3_MANAGER_PATH}.http_filters[0].typed_config.value.max_asked_body_bytes",
                "a post of a session that is not known here may have 1000000 bytes (maxPayload), and the nodes cannot "
                "be asked for a larger one than this; allow as much",
            ),
        ),
        (
            setup(manager=ours(learn=["cookie:a"]), route=cookie(ttl="0s", attributes=LAX)),
            (
                "FP124",
                f"{V3_ROUTE_PATH}.route.hash_policy[0].cookie.name",
                "this cookie is made here, so there is nothing to learn; remove it from learn, or remove this policy",
            ),
        ),
        (
            setup(manager=ours(learn=["cookie:a"]), route=cookie()),
            (
                "FP124",
                f"{V3_ROUTE_PATH}.route.hash_policy[0].cookie.name",
                "this cookie is learned, which counts first; remove it from learn, or remove this policy",
            ),
        ),
        (
            setup(manager=ours(learn=["sockjs", "mcp", "cookie:a"])),
            (
                "FP125",
                V3_ROUTE_PATH,
                "the default timeout of 15 s ends the streams of mcp and sockjs on this route; add timeout: 0s",
            ),
        ),
    ],
)
def test_advice(change, advice):
    assert advised(change) == [advice]


@pytest.mark.parametrize(
    "change",
    [
        setup(manager=ours(max_asked_body_bytes=1_000_000)),
        setup(manager=ours(max_asked_body_bytes=5, ask_unknown=False)),
        setup(manager=ours(learn=["cookie:b"]), route=cookie(ttl="0s", attributes=LAX)),
        setup(manager=ours(learn=["mcp"]), route={"timeout": "0s"}),
        setup(manager=ours(learn=["mcp"]), route={"timeout": "600s"}),
        setup(manager=ours(learn=["cookie:a"])),
    ],
)
def test_what_is_well(change):
    assert advised(change) == []


def test_routes_are_advised_for_themselves():
    """What stands at a route, or above it, counts there and nowhere else."""

    def change(document):
        setup()(document)
        small = {"fastproxy": settings(max_asked_body_bytes=1)}
        v3_manager(document)["route_config"]["typed_per_filter_config"] = small
        other = {"match": {"prefix": "/socket.io/"}, "route": {"cluster": "nodes"}}
        other["typed_per_filter_config"] = {"fastproxy": settings(sid_affinity=False)}
        v3_manager(document)["route_config"]["virtual_hosts"][0]["routes"].insert(0, other)

    table = f"{V3_MANAGER_PATH}.route_config.typed_per_filter_config.fastproxy"
    assert sorted((code, path) for code, path, _ in advised(change)) == [
        ("FP113", V3_ROUTE_PATH),
        ("FP123", f"{table}.value.max_asked_body_bytes"),
    ]
