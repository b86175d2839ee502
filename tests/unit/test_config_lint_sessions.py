"""Advice about what sessions need."""

import pytest

from tests.unit.config_files import EXTENSIONS, V3_MANAGER_PATH, V3_ROUTE_PATH, advised, v3_manager, v3_route

TYPED = "type.googleapis.com/"
ROUTER = {"name": "router", "typed_config": {"@type": f"{EXTENSIONS}filters.http.router.v3.Router"}}


def settings(**value):
    return {
        "@type": f"{TYPED}xds.type.v3.TypedStruct",
        "type_url": f"{TYPED}fastproxy.v1.HttpFilter",
        "value": value,
    }


OFF = {"name": "fastproxy", "typed_config": settings(sid_affinity=False)}
CUT = "ends sessions between two heartbeats; Socket.IO needs more than 45 s (25 s and 20 s)"


def setup(manager=None, route=None, match=None):
    """The small file with WebSockets allowed, and changed."""

    def change(document):
        v3_manager(document).update({"upgrade_configs": [{"upgrade_type": "websocket"}], **(manager or {})})
        v3_route(document)["route"].update(route or {})
        v3_route(document)["match"].update(match or {})

    return change


def buffer(size):
    typed = {"@type": f"{EXTENSIONS}filters.http.buffer.v3.Buffer", "max_request_bytes": size}
    return {"http_filters": [{"name": "buffer", "typed_config": typed}, ROUTER]}


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (
            setup(manager={"stream_idle_timeout": "44s"}),
            ("FP108", f"{V3_MANAGER_PATH}.stream_idle_timeout", f"44 s {CUT}"),
        ),
        (setup(route={"idle_timeout": "0.5s"}), ("FP108", f"{V3_ROUTE_PATH}.route.idle_timeout", f"0.5 s {CUT}")),
        (
            setup(route={"timeout": "44s"}),
            (
                "FP109",
                f"{V3_ROUTE_PATH}.route.timeout",
                "44 s end a poll that waits for news; Socket.IO's heartbeat takes up to 45 s (25 s and 20 s); "
                "write as much, or 0s",
            ),
        ),
        (
            setup(route={"retry_policy": {"retry_on": "5xx", "per_try_timeout": "2s"}}),
            (
                "FP109",
                f"{V3_ROUTE_PATH}.route.retry_policy.per_try_timeout",
                "2 s end a poll that waits for news; Socket.IO's heartbeat takes up to 45 s (25 s and 20 s); "
                "write as much, or 0s",
            ),
        ),
        (
            setup(manager={"common_http_protocol_options": {"max_stream_duration": "60s"}}),
            (
                "FP110",
                f"{V3_MANAGER_PATH}.common_http_protocol_options.max_stream_duration",
                "every WebSocket ends after this time, busy or not; leave it out where sessions last",
            ),
        ),
        (
            setup(route={"max_stream_duration": {"max_stream_duration": "60s"}}),
            (
                "FP110",
                f"{V3_ROUTE_PATH}.route.max_stream_duration.max_stream_duration",
                "every WebSocket ends after this time, busy or not; leave it out where sessions last",
            ),
        ),
        (
            setup(manager=buffer(999_999)),
            (
                "FP111",
                f"{V3_MANAGER_PATH}.http_filters[0].typed_config.max_request_bytes",
                "Socket.IO lets a client send up to 1000000 bytes in one request (maxPayload); "
                "allow as much, or lower that",
            ),
        ),
        (
            setup(manager={"upgrade_configs": []}, match={"prefix": "/socket.io"}),
            (
                "FP112",
                V3_ROUTE_PATH,
                "WebSockets are refused on this route, and clients stay with polling; "
                "add upgrade_configs: [{upgrade_type: websocket}]",
            ),
        ),
        (
            setup(manager={"http_filters": [OFF, ROUTER]}),
            (
                "FP113",
                V3_ROUTE_PATH,
                "sid_affinity is off and no hash chooses the node, so the polls of a session go to any node; "
                "leave sid_affinity on",
            ),
        ),
    ],
)
def test_advice(change, advice):
    assert advised(change) == [advice]


@pytest.mark.parametrize(
    "change",
    [
        setup(),
        setup(manager={"stream_idle_timeout": "45s"}, route={"timeout": "45s", "idle_timeout": "45s"}),
        setup(manager={"stream_idle_timeout": "0s"}, route={"timeout": "0s", "idle_timeout": "0s"}),
        setup(manager={"stream_idle_timeout": "5s"}, route={"idle_timeout": "60s"}),
        setup(manager={"stream_idle_timeout": "5s", "upgrade_configs": []}, route={"timeout": "5s"}),
        setup(manager={"stream_idle_timeout": "5s"}, route={"timeout": "5s"}, match={"prefix": "/api"}),
        setup(manager={"common_http_protocol_options": {"max_stream_duration": "60s"}, "upgrade_configs": []}),
        setup(manager=buffer(1_000_000)),
        setup(manager={"http_filters": [OFF, ROUTER]}, route={"hash_policy": [{"header": {"header_name": "referer"}}]}),
        setup(
            manager={"upgrade_configs": []},
            route={"upgrade_configs": [{"upgrade_type": "WebSocket"}]},
            match={"prefix": "/socket.io"},
        ),
    ],
)
def test_what_is_well(change):
    assert advised(change) == []
