"""Routes and virtual hosts that nobody can reach."""

from collections.abc import Iterator

from fastproxy.config.lint.scene import Advice, Manager, Route, Rule, Scene
from fastproxy.config.tree import shorten

_DEFAULT_PORTS = (80, 443, 0)
_EVERYTHING = ("", "/")
_STRIPS = ("strip_matching_host_port", "strip_any_host_port")


def shadowed_route(scene: Scene) -> Iterator[Advice]:
    earlier: list[Route] = []
    for route in scene.routes:
        if earlier and earlier[0].virtual_host is not route.virtual_host:
            earlier = []
        owner = next((each for each in earlier if covers(each, route)), None)
        if owner is not None:
            message = f"no request comes here: {owner.view.node.path} takes them all; put this route before it"
            yield Advice(route.view.node, message)
        else:
            earlier.append(route)


def covers(first: Route, second: Route) -> bool:
    """Whether every request that the second route is for is taken by the first one."""
    fields = {field.name for field, _ in first.match.message.ListFields()} - {"case_sensitive"}
    if fields - {"prefix", "path"} or first.path is None:
        return False
    if second.path is None:
        return fields == {"prefix"} and first.path in _EVERYTHING
    mine, its = first.path, second.path
    if not first.match.wrapped("case_sensitive", True):
        mine, its = mine.lower(), its.lower()
    elif not second.match.wrapped("case_sensitive", True) and mine not in _EVERYTHING:
        return False
    if fields == {"path"}:
        return second.match.message.WhichOneof("path_specifier") == "path" and mine == its
    return its.startswith(mine)


def domain_without_port(scene: Scene) -> Iterator[Advice]:
    for manager in scene.managers:
        config = manager.view.child("route_config")
        if manager.port in _DEFAULT_PORTS or config.value("ignore_port_in_host_matching") or _strips(manager):
            continue
        hosts = config.items("virtual_hosts")
        domains = {domain for host in hosts for domain in host.value("domains")}
        if "*" in domains:
            continue
        for host in hosts:
            for domain, node in zip(host.value("domains"), host.node_of("domains").items(), strict=True):
                if ":" not in domain and not domain.endswith("*") and not _has_port(domain, domains):
                    message = f'clients of port {manager.port} ask for "{shorten(domain)}:{manager.port}", which is no'
                    yield Advice(node, f"{message} domain here; add it, or strip_any_host_port")


def _has_port(domain: str, domains: set[str]) -> bool:
    return any(other.startswith(f"{domain}:") for other in domains)


def _strips(manager: Manager) -> bool:
    return any(manager.view.has(field) for field in _STRIPS)


RULES: dict[str, Rule] = {
    "FP118": shadowed_route,
    "FP119": domain_without_port,
}
