"""What our own filter says of sessions, beside the rest of the file."""

from collections.abc import Iterator

from fastproxy.config.lint.scene import Advice, Rule, Scene
from fastproxy.config.lint.sessions import MAX_PAYLOAD_BYTES
from fastproxy.model_affinity import MCP, SOCKJS

_STREAMING = {MCP.name, SOCKJS.name}


def small_asked_bodies(scene: Scene) -> Iterator[Advice]:
    for node in scene.affinity_settings:
        most = node.get("max_asked_body_bytes")
        is_off = any((flag := node.get(key)) and flag.value is False for key in ("sid_affinity", "ask_unknown"))
        if most is not None and isinstance(most.value, int | float) and most.value < MAX_PAYLOAD_BYTES and not is_off:
            message = f"a post of a session that is not known here may have {MAX_PAYLOAD_BYTES} bytes (maxPayload)"
            yield Advice(most, f"{message}, and the nodes cannot be asked for a larger one than this; allow as much")


def learned_and_hashed(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        cookies = [policy.child("cookie") for policy in route.policies if policy.has("cookie")]
        learned = {protocol.name for protocol in route.affinity.protocols} if cookies else set()
        for cookie in cookies:
            if f"cookie:{cookie.value('name')}" not in learned:
                continue
            made = (
                "is made here, so there is nothing to learn" if cookie.has("ttl") else "is learned, which counts first"
            )
            yield Advice(cookie.node_of("name"), f"this cookie {made}; remove it from learn, or remove this policy")


def cut_streams(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        if not route.view.has("route") or route.action.has("timeout"):
            continue
        names = sorted({protocol.name for protocol in route.affinity.protocols} & _STREAMING)
        if names:
            words = "add timeout_ms: 0" if route.manager.is_v1 else "add timeout: 0s"
            message = f"the default timeout of 15 s ends the streams of {' and '.join(names)} on this route"
            yield Advice(route.view.node, f"{message}; {words}")


RULES: dict[str, Rule] = {
    "FP123": small_asked_bodies,
    "FP124": learned_and_hashed,
    "FP125": cut_streams,
}
