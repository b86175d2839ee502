"""The model as JSON and back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import pytest

from fastproxy import config
from fastproxy.model import Address, Cluster, Configuration, Host, LbPolicy
from fastproxy.model_codec import Codec
from tests.support.processes import ROOT

CODEC = Codec(Configuration)


class Colour(IntEnum):
    RED = 1


@dataclass(frozen=True)
class Circle:
    radius: float
    colour: Colour = Colour.RED


@dataclass(frozen=True)
class Square:
    side: float | None = 1.0


@dataclass(frozen=True)
class Drawing:
    shapes: tuple[Circle | Square, ...] = ()
    body: bytes = b""
    names: frozenset[str] = frozenset()
    pairs: tuple[tuple[str, int], ...] = ()
    table: Mapping[str, Square] = field(default_factory=dict)
    unseen: int = field(default=-1, compare=False)


DRAWINGS = Codec(Drawing)


@pytest.mark.parametrize(
    "drawing",
    [
        Drawing(),
        Drawing((Circle(2), Square(None), Circle(0.1))),
        Drawing(body=bytes(range(256))),
        Drawing(names=frozenset({"a", "ü"})),
        Drawing(pairs=(("a", 1), ("b\ud800", 2))),
        Drawing(table={"": Square(2.0), "x": Square()}),
    ],
)
def test_a_value_comes_back_as_it_was(drawing):
    assert DRAWINGS.decode(DRAWINGS.encode(drawing)) == drawing


def test_kinds_come_back_as_they_were():
    back = DRAWINGS.decode(DRAWINGS.encode(Drawing((Circle(2),), unseen=7)))
    assert isinstance(back.shapes[0], Circle)
    assert back.shapes[0].colour is Colour.RED
    assert back.unseen == 7


def test_what_is_as_by_default_is_not_written():
    assert json.loads(CODEC.encode(Configuration((), (Cluster("c"),)))) == {
        "": "Configuration",
        "clusters": [{"": "Cluster", "name": "c"}],
    }


@pytest.mark.parametrize("shape", [object(), [1], {1, 2}, Address("a", 1), LbPolicy.RANDOM])
def test_what_the_hints_do_not_name_is_refused(shape):
    with pytest.raises(TypeError):
        DRAWINGS.encode(Drawing(shapes=(shape,)))


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"7", b"{}", b'{"":"Address","host":"a","port":1}', b'{"":"Circle","radius":1}', b'{"":"os"}'],
)
def test_garbage_is_an_error(data):
    with pytest.raises((ValueError, KeyError, TypeError)):
        DRAWINGS.decode(data)


def test_two_classes_of_one_name_are_refused():
    other: type = dataclass(type("Square", (), {"__module__": __name__}))

    @dataclass
    class Both:
        one: Square
        two: other  # type: ignore[valid-type]

    Both.__annotations__.update(one=Square, two=other)
    with pytest.raises(TypeError, match="two classes are called Square"):
        Codec(Both)


def test_host_slots_travel():
    configuration = Configuration(clusters=(Cluster("c", hosts=(Host(Address("::1", 5), slot=9),)),))
    assert CODEC.decode(CODEC.encode(configuration)).clusters[0].hosts[0].slot == 9


@pytest.mark.parametrize("name", ["envoy.json", "envoy2.json"])
def test_a_file_can_be_handed_over(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the folders of its access logs are made
    configuration = config.load(str(ROOT / name)).configuration
    assert CODEC.decode(CODEC.encode(configuration)) == configuration
