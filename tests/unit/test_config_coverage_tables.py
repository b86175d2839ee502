"""The tables name fields that exist, once each."""

import pytest
from google.protobuf.descriptor import FieldDescriptor

from fastproxy.config.coverage_tables import ACTED_ON, NEUTRAL, NO_EFFECT
from fastproxy.config.type_urls import PREFIX, resolve

TABLES = sorted({*ACTED_ON, *NO_EFFECT, *(table for table, _ in NEUTRAL)})


def descriptor_of(table):
    """The message that a table is about: `<message>.<field>` is the message in that field."""
    outer, _, last = table.rpartition(".")
    if last[0].isupper():
        return nested(table)
    field = descriptor_of(outer).fields_by_name[last]
    assert field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE
    return field.message_type


def nested(name):
    outer, _, last = name.rpartition(".")
    if outer.rpartition(".")[2][0].isupper():
        return nested(outer).nested_types_by_name[last]
    return resolve(PREFIX + name)


@pytest.mark.parametrize("table", TABLES)
def test_every_field_exists(table):
    known = set(descriptor_of(table).fields_by_name)
    neutral = {field for name, field in NEUTRAL if name == table}
    assert set(ACTED_ON.get(table, ())) | set(NO_EFFECT.get(table, ())) | neutral <= known


@pytest.mark.parametrize("table", TABLES)
def test_no_field_is_both_acted_on_and_without_effect(table):
    assert not set(ACTED_ON.get(table, ())) & set(NO_EFFECT.get(table, ()))


def test_every_table_of_fields_without_effect_is_looked_at():
    """`coverage` goes into the messages of ACTED_ON only."""
    assert set(NO_EFFECT) <= set(ACTED_ON)
    assert {table for table, _ in NEUTRAL} <= set(ACTED_ON)
