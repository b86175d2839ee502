"""CORS policies of routes and virtual hosts, from the v3 messages to the model."""

from fastproxy.config.build_affinity import FILTER_CONFIG, is_ours
from fastproxy.config.build_limits import LIMIT_SETTINGS
from fastproxy.config.build_matchers import build_share, build_string_matcher
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View
from fastproxy.model_routes import WHOLE, CorsPolicy

CORS_FILTER = "envoy.extensions.filters.http.cors.v3.Cors"
CORS_POLICY = "envoy.extensions.filters.http.cors.v3.CorsPolicy"
_KNOWN = (CORS_POLICY, *LIMIT_SETTINGS, "google.protobuf.Any")


def cors_filters(manager: View) -> frozenset[str]:
    """The names under which the manager runs a CORS filter: a policy without one does nothing."""
    return frozenset(
        view.value("name")
        for view in manager.items("http_filters")
        if view.child("typed_config").type_name == CORS_FILTER and not view.value("disabled")
    )


def build_cors(views: tuple[View, ...], filters: frozenset[str], report: Report) -> CorsPolicy | None:
    """The policy of the most specific of some views, the most specific coming first: a route, its virtual host, ...

    Other settings of HTTP filters than those for CORS are reported.
    """
    policies = [_policy(view, filters, report) for view in views]
    found = next((policy for policy, is_set in policies if is_set), None)
    return found if filters else None


def check_filters(view: View, report: Report) -> None:
    """Reports the settings of HTTP filters that are not supported here."""
    for name, config in view.entries("typed_per_filter_config").items():
        inner = config.child("config") if config.type_name == FILTER_CONFIG else config
        is_known = inner.type_name in _KNOWN or is_ours(inner)
        if not is_known and not inner.node.damaged:
            report.error(inner.node, f'settings of the filter "{shorten(name)}" for a route are not supported')


def _policy(view: View, filters: frozenset[str], report: Report) -> tuple[CorsPolicy | None, bool]:
    """The policy that a view has for the filter, and whether it says anything about it."""
    fields = view.message.DESCRIPTOR.fields_by_name
    settings = view.entries("typed_per_filter_config") if "typed_per_filter_config" in fields else {}
    for name, config in settings.items():
        if name not in filters:
            continue
        if config.type_name == FILTER_CONFIG:
            if config.value("disabled"):
                return None, True
            config = config.child("config")
        if config.type_name == CORS_POLICY:
            return _built(config, report), True
    if "cors" in fields and view.has("cors"):
        return _built(view.child("cors"), report), True
    return None, False


def _built(view: View, report: Report) -> CorsPolicy:
    return CorsPolicy(
        origins=tuple(build_string_matcher(origin, report) for origin in view.items("allow_origin_string_match")),
        allow_methods=view.value("allow_methods"),
        allow_headers=view.value("allow_headers"),
        expose_headers=view.value("expose_headers"),
        max_age=view.value("max_age"),
        allow_credentials=view.wrapped("allow_credentials", False),
        allow_private_network_access=view.wrapped("allow_private_network_access", False),
        forward_not_matching_preflights=view.wrapped("forward_not_matching_preflights", True),
        enabled=build_share(view.child("filter_enabled")) if view.has("filter_enabled") else WHOLE,
        shadow_enabled=build_share(view.child("shadow_enabled"), 0),
    )
