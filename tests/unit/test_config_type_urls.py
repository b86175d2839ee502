"""Type URLs to descriptors; a wrong one says what was probably meant."""

import pytest

from fastproxy.config.type_urls import UnknownType, resolve

ROUTER = "envoy.extensions.filters.http.router.v3.Router"


@pytest.mark.parametrize("prefix", ["type.googleapis.com/", "anything/"])
def test_resolves_by_what_follows_the_slash(prefix):
    assert resolve(prefix + ROUTER).full_name == ROUTER


def test_resolves_well_known_types():
    assert resolve("type.googleapis.com/google.protobuf.Struct").name == "Struct"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (ROUTER, 'a type URL begins with "type.googleapis.com/"'),
        ("type.googleapis.com/envoy.extensions.filters.http.router.v3.Ruoter", 'did you mean "Router"?'),
        ("type.googleapis.com/envoy.extensions.filters.http.nothing.v3.Thing", "is no type of Envoy's v3 API"),
        ("type.googleapis.com/envoy.config.filter.http.router.v2.Router", "belongs to Envoy's v2 API"),
        ("type.googleapis.com/os.path", "is no type of Envoy's v3 API"),
        ("type.googleapis.com/google.protobuf.Nothing", "is no type of Envoy's v3 API"),
        ("type.googleapis.com/", "is no type of Envoy's v3 API"),
    ],
)
def test_unknown(url, words):
    with pytest.raises(UnknownType) as caught:
        resolve(url)
    assert words in str(caught.value)
