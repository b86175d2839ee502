"""From a type URL to the generated protobuf class, importing only the module that holds it."""

import importlib
import importlib.util
import pkgutil
import re
from functools import cache

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor

from fastproxy.config.tree import did_you_mean

PREFIX = "type.googleapis.com/"

_NAME = re.compile(r"(?:envoy|xds|udpa)(?:\.[a-z][a-z0-9_]*)+\.[A-Z][A-Za-z0-9]*")


class UnknownType(Exception):
    """A type URL that names no message of Envoy's API; the text says what to do."""


@cache
def resolve(url: str) -> Descriptor:
    """The descriptor of the message that a type URL names. Raises UnknownType."""
    name = url.rpartition("/")[2]
    if "/" not in url:
        raise UnknownType(f'a type URL begins with "{PREFIX}"')
    if name.startswith("google.protobuf."):
        return _find(name, url)
    if not _NAME.fullmatch(name):
        raise UnknownType(f'"{url}" is no type of Envoy\'s v3 API')
    package = name.rpartition(".")[0]
    if re.search(r"\.v2(alpha)?[0-9]*$", package):
        raise UnknownType(f'"{url}" belongs to Envoy\'s v2 API; write the configuration for v3')
    modules = _modules(package)
    if not modules:
        raise UnknownType(f'"{url}" is no type of Envoy\'s v3 API')
    for module in modules:
        importlib.import_module(module)
    return _find(name, url)


def _find(name: str, url: str) -> Descriptor:
    try:
        return descriptor_pool.Default().FindMessageTypeByName(name)
    except KeyError:
        package, _, word = name.rpartition(".")
        known = [
            k for module in _modules(package) for k in importlib.import_module(module).DESCRIPTOR.message_types_by_name
        ]
        raise UnknownType(f'"{url}" is no type of Envoy\'s v3 API{did_you_mean(word, known)}') from None


def _modules(package: str) -> list[str]:
    """The generated modules of a protobuf package."""
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return []
    places = list(spec.submodule_search_locations or ()) if spec else []
    return [f"{package}.{module.name}" for module in pkgutil.iter_modules(places) if module.name.endswith("_pb2")]
