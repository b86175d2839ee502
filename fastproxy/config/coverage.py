"""Says what fastproxy acts on: every other field that a file sets is reported, none is swallowed.

A field that would change where a request goes, what the upstream is told or who is let in is an error; one that
cannot is a warning. A field that stands in no table is an error, so a newer schema can add nothing silently.
"""

from google.protobuf.descriptor import FieldDescriptor

from fastproxy.config import codes
from fastproxy.config.coverage_tables import ACTED_ON, NEUTRAL, NO_EFFECT
from fastproxy.config.reasons import FIELDS
from fastproxy.config.tree import Report
from fastproxy.config.v3 import View

REFUSED = "not supported yet, and leaving it out would change what happens to requests; remove it"
IGNORED = "has no effect here"


def check(view: View, report: Report) -> None:
    """Reports the fields of this message and those below that fastproxy does not act on."""
    _check(view, view.type_name, report)


def _check(view: View, table: str, report: Report) -> None:
    acted_on = ACTED_ON.get(table)
    if acted_on is None:
        return
    for field, value in view.message.ListFields():
        if field.name in acted_on:
            for child in view.below(field.name):
                narrower = f"{table}.{field.name}"
                _check(child, narrower if narrower in ACTED_ON else child.type_name, report)
        elif not _is_neutral(table, field, value):
            _report(view, table, field, report)


def _is_neutral(table: str, field: FieldDescriptor, value: object) -> bool:
    """Whether the field says no more than what holds here anyway."""
    neutral = NEUTRAL.get((table, field.name), _NOTHING)
    plain = getattr(value, "value", value)
    return neutral is None or (plain in neutral if isinstance(neutral, range) else plain == neutral)


def _report(view: View, table: str, field: FieldDescriptor, report: Report) -> None:
    node = view.node_of(field.name)
    words = NO_EFFECT.get(table, {}).get(field.name)
    if words is None:
        reason = FIELDS.get((table, field.name))
        message = f"not supported: {reason}" if reason else REFUSED
        report.error(node, message, at_key=True, code=codes.UNSUPPORTED)
    else:
        report.warning(node, f"{IGNORED}: {words}" if words else IGNORED, at_key=True, code=codes.NO_EFFECT)


_NOTHING = object()
