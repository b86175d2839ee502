"""What the HTTP filters `set_filter_state` leave in the filter state, from the v3 messages to the model."""

from collections.abc import Iterator

from fastproxy.config.build_filters import SET_FILTER_STATE, format_problem, text_of
from fastproxy.config.tree import Report, did_you_mean, shorten
from fastproxy.config.v3 import View
from fastproxy.log_format import compile_format
from fastproxy.model import MAX_HEADER_RULES, FilterStateValue

_HASHABLE = "envoy.hashable_string"
_FACTORIES = ("envoy.string", _HASHABLE)


def hashable_keys(manager: View) -> frozenset[str]:
    """The keys under which the filters of a manager leave something that a hash policy can hash."""
    return frozenset(view.value("object_key") for view in _values(manager) if _factory(view) == _HASHABLE)


def build_filter_state(manager: View, report: Report) -> tuple[FilterStateValue, ...]:
    """The values of all filters that are enabled, in their order."""
    views = tuple(_values(manager))
    found = tuple(_value(view, report) for view in views)
    named = sum(operator.kind in ("request", "response") for each in found for operator in compile_format(each.format))
    if named > MAX_HEADER_RULES:
        report.error(views[-1].node, f"at most {MAX_HEADER_RULES} headers may be named by all formats together")
    return found


def _values(manager: View) -> Iterator[View]:
    for view in manager.items("http_filters"):
        config = view.child("typed_config")
        if config.type_name == SET_FILTER_STATE and not view.value("disabled"):
            yield from config.items("on_request_headers")


def _factory(view: View) -> str:
    return str(view.value("factory_key") or view.value("object_key"))


def _value(view: View, report: Report) -> FilterStateValue:
    factory = _factory(view)
    if factory not in _FACTORIES:
        field = "factory_key" if view.value("factory_key") else "object_key"
        hint = did_you_mean(factory, _FACTORIES) or f"; use one of {', '.join(_FACTORIES)}"
        report.error(view.node_of(field), f'no objects of the factory "{shorten(factory)}" are made{hint}')
    format_string = view.child("format_string")
    text, node = text_of(format_string)
    problem = format_problem(text)
    if problem:
        report.error(node, problem)
    return FilterStateValue(
        view.value("object_key"),
        "" if problem else text,
        factory == _HASHABLE,
        format_string.value("omit_empty_values"),
        view.value("read_only"),
        view.value("skip_if_empty"),
    )
