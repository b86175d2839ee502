"""What Engine.IO's sessions need: time for the heartbeat and for polls, upgrades, room for a payload.

Source: the defaults of engine.io 6 and of python-engineio 4: pingInterval 25 s, pingTimeout 20 s, maxPayload 1,000,000.
"""

from collections.abc import Iterator

from fastproxy.config.lint.scene import Advice, Rule, Scene, hosts, positive_seconds
from fastproxy.model_affinity import ENGINE_IO

HEARTBEAT_S = 45
MAX_PAYLOAD_BYTES = 1_000_000

_BUFFER = "envoy.extensions.filters.http.buffer.v3.Buffer"


def idle_below_heartbeat(scene: Scene) -> Iterator[Advice]:
    cut = f"ends sessions between two heartbeats; Socket.IO needs more than {HEARTBEAT_S} s (25 s and 20 s)"
    for manager in scene.managers:
        idle_s = positive_seconds(manager.view, "stream_idle_timeout")
        routes = (route for route in scene.routes if route.manager is manager and route.may_carry_polls)
        is_used = any(not route.action.has("idle_timeout") for route in routes)
        if idle_s is not None and idle_s < HEARTBEAT_S and is_used:
            yield Advice(manager.view.node_of("stream_idle_timeout"), f"{idle_s:g} s {cut}")
    for route in scene.routes:
        idle_s = positive_seconds(route.action, "idle_timeout")
        if idle_s is not None and idle_s < HEARTBEAT_S and route.may_carry_polls:
            yield Advice(route.action.node_of("idle_timeout"), f"{idle_s:g} s {cut}")


def timeout_below_poll(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        policy = route.action.child("retry_policy")
        for view, field in ((route.action, "timeout"), (policy, "per_try_timeout"), (policy, "per_try_idle_timeout")):
            timeout_s = positive_seconds(view, field)
            if timeout_s is not None and timeout_s < HEARTBEAT_S and route.may_carry_polls:
                message = (
                    f"{timeout_s:g} s end a poll that waits for news; Socket.IO's heartbeat takes up to {HEARTBEAT_S} s"
                )
                yield Advice(view.node_of(field), f"{message} (25 s and 20 s); write as much, or 0s")


def limited_duration(scene: Scene) -> Iterator[Advice]:
    message = "every WebSocket ends after this time, busy or not; leave it out where sessions last"
    for manager in scene.managers:
        common = manager.view.child("common_http_protocol_options")
        routes = [route for route in scene.routes if route.manager is manager]
        if positive_seconds(common, "max_stream_duration") and any(route.allows_websocket for route in routes):
            yield Advice(common.node_of("max_stream_duration"), message)
    for route in scene.routes:
        duration = route.action.child("max_stream_duration")
        if positive_seconds(duration, "max_stream_duration") and route.allows_websocket:
            yield Advice(duration.node_of("max_stream_duration"), message)


def small_bodies(scene: Scene) -> Iterator[Advice]:
    for manager in scene.managers:
        for each in manager.view.items("http_filters"):
            config = each.child("typed_config")
            if config.type_name != _BUFFER:
                continue
            most = config.wrapped("max_request_bytes", MAX_PAYLOAD_BYTES)
            if most < MAX_PAYLOAD_BYTES:
                message = f"Socket.IO lets a client send up to {MAX_PAYLOAD_BYTES} bytes in one request (maxPayload)"
                yield Advice(config.node_of("max_request_bytes"), f"{message}; allow as much, or lower that")


def no_websocket(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        if route.is_for_engine_io and route.view.has("route") and not route.allows_websocket:
            message = "WebSockets are refused on this route, and clients stay with polling"
            words = "add use_websocket" if route.manager.is_v1 else "add upgrade_configs: [{upgrade_type: websocket}]"
            yield Advice(route.view.node, f"{message}; {words}")


def nothing_keeps_sessions(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        cluster = route.action.value("cluster")
        if not route.may_carry_polls or cluster not in scene.clusters or ENGINE_IO in route.affinity.protocols:
            continue
        is_hashed = route.policies and cluster in scene.hashing_clusters
        if len(hosts(scene.clusters[cluster])) > 1 and not is_hashed:
            message = "sid_affinity is off and no hash chooses the node, so the polls of a session go to any node"
            yield Advice(route.view.node, f"{message}; leave sid_affinity on")


RULES: dict[str, Rule] = {
    "FP108": idle_below_heartbeat,
    "FP109": timeout_below_poll,
    "FP110": limited_duration,
    "FP111": small_bodies,
    "FP112": no_websocket,
    "FP113": nothing_keeps_sessions,
}
