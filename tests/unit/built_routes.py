"""The routes of a small file that is changed first."""

from collections.abc import Callable
from typing import Any

from fastproxy.config.build_limits import LimitFilters
from fastproxy.config.build_routes import build_routes
from fastproxy.config.tree import Report
from fastproxy.model import RouteConfiguration
from tests.unit.config_files import errors, v3_file, v3_manager, v3_route, view

Change = Callable[[Any], object]


def built(change: Change) -> tuple[RouteConfiguration, Report]:
    """The routes, and what was said while they were built."""
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    assert errors(report) == []
    listener = bootstrap.child("static_resources").items("listeners")[0]
    manager = listener.items("filter_chains")[0].items("filters")[0].child("typed_config")
    limits = LimitFilters(manager, report)
    return build_routes(manager, frozenset({"nodes", "other"}), limits, report), report


def failed(change: Change) -> list[tuple[str, str]]:
    """Path and message of each mistake."""
    found = errors(built(change)[1])
    assert found
    return found


def hosts_of(document: Any) -> Any:
    return v3_manager(document)["route_config"]["virtual_hosts"]


def only(**fields: Any) -> Change:
    """Makes the only route of the file do this."""

    def change(document: Any) -> None:
        match = v3_route(document)["match"]
        v3_route(document).clear()
        v3_route(document).update(match=match, **fields)

    return change
