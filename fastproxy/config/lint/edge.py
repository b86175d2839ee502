"""What a listener or an admin that the world can reach should have set."""

from collections.abc import Iterator

from fastproxy.config.lint.addresses import is_open, is_public
from fastproxy.config.lint.scene import Advice, Manager, Rule, Scene

_WEB_PORTS = (80, 443)


def open_admin(scene: Scene) -> Iterator[Advice]:
    admin = scene.bootstrap.child("admin").child("address").child("socket_address")
    if is_open(admin.value("address")):
        message = "everybody who can reach this port can stop the proxy and read its statistics; use 127.0.0.1"
        yield Advice(admin.node_of("address"), message)


def is_edge(manager: Manager) -> bool:
    """Whether clients surely come here themselves: a web server's port on every interface, or a public address."""
    return is_public(manager.address) or (is_open(manager.address) and manager.port in _WEB_PORTS)


def unset_remote_address(scene: Scene) -> Iterator[Advice]:
    """Said of managers that say nothing: `false` is a decision."""
    for manager in scene.managers:
        view = manager.view
        if is_edge(manager) and not view.has("use_remote_address") and not view.has("xff_num_trusted_hops"):
            message = "clients from anywhere can write their own address into x-forwarded-for"
            yield Advice(view.node, f"{message}; set use_remote_address: true, or false behind a proxy that is trusted")


def unset_normalize_path(scene: Scene) -> Iterator[Advice]:
    """v1 has no such key. Of no use where all paths go the same way."""
    for manager in scene.managers:
        view = manager.view
        if manager.is_v1 or view.has("normalize_path") or not is_edge(manager):
            continue
        if not view.wrapped("use_remote_address", False):
            continue  # another proxy is in front
        paths = {route.path for route in scene.routes if route.manager is manager}
        if len(paths) > 1:
            message = "a client can name a path in other ways (/a/../b) and so choose another route"
            yield Advice(view.node, f"{message}; set normalize_path: true")


RULES: dict[str, Rule] = {
    "FP120": open_admin,
    "FP121": unset_remote_address,
    "FP122": unset_normalize_path,
}
