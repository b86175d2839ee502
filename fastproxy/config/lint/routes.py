"""Routes and virtual hosts that nobody can reach."""

from collections.abc import Iterator

from fastproxy.config.lint.scene import Advice, Manager, Route, Rule, Scene
from fastproxy.config.tree import shorten

_DEFAULT_PORTS = (80, 443, 0)
_EVERYTHING = ("", "/")
_STRIPS = ("strip_matching_host_port", "strip_any_host_port")


def shadowed_route(scene: Scene) -> Iterator[Advice]:
    earlier, host = Earlier(), None
    for route in scene.routes:
        if route.virtual_host is not host:
            earlier, host = Earlier(), route.virtual_host
        owner = earlier.owner_of(route)
        if owner is not None:
            message = f"no request comes here: {owner.view.node.path} takes them all; put this route before it"
            yield Advice(route.view.node, message)
        else:
            earlier.add(route)


class Earlier:
    """The routes of a virtual host so far that look at nothing but the path, by what they look for."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, bool, str], tuple[int, Route]] = {}
        self._lengths: set[int] = set()

    def add(self, route: Route) -> None:
        match = route.match
        fields = {field.name for field, _ in match.message.ListFields()} - {"case_sensitive"}
        path = route.path
        if fields - {"prefix", "path"} or path is None:
            return
        kind = str(match.message.WhichOneof("path_specifier"))
        minds_case = bool(match.wrapped("case_sensitive", True))
        key = (kind, minds_case, path if minds_case else path.lower())
        self._found.setdefault(key, (len(self._found), route))
        if kind == "prefix":
            self._lengths.add(len(path))

    def owner_of(self, route: Route) -> Route | None:
        """The first of them that takes every request that the route is for."""
        found = [self._found[key] for key in self._keys(route) if key in self._found]
        return min(found, key=lambda each: each[0])[1] if found else None

    def _keys(self, route: Route) -> Iterator[tuple[str, bool, str]]:
        path, match = route.path, route.match
        if path is None:
            yield from (("prefix", minds_case, prefix) for minds_case in (True, False) for prefix in _EVERYTHING)
            return
        forms = [(False, path.lower())]
        if match.wrapped("case_sensitive", True):
            forms.append((True, path))
        else:
            yield from (("prefix", True, prefix) for prefix in _EVERYTHING if path.startswith(prefix))
        for minds_case, text in forms:
            yield from (("prefix", minds_case, text[:size]) for size in self._lengths if size <= len(text))
            if match.message.WhichOneof("path_specifier") == "path":
                yield ("path", minds_case, text)


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
