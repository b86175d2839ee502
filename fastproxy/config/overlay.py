"""What the command line puts over a file (`--config-yaml`), by the rules of protobuf's MergeFrom, as Envoy does it.

Messages merge, repeated fields append, maps merge by key, everything else is overridden; of a oneof the member of the
command line counts. One difference: a number, text or flag overrides also where it is zero, empty or false.
"""

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from fastproxy.config.schema import field_of, is_map, is_message, message_of
from fastproxy.config.tree import Node


def marked(root: Node, file: str) -> Node:
    """The tree, every node of which says where it comes from."""
    for node in root.walk():
        node.file = file
    return root


def merged(base: Node, over: Node, descriptor: Descriptor) -> Node:
    """The message of `base` with that of `over` merged into it."""
    members = dict(base.members())
    for key, member in over.members().items():
        field = field_of(descriptor, key)
        if field is None:
            members[key] = member
            continue
        spelt = next((name for name in members if field_of(descriptor, name) is field), None)
        if spelt is not None:
            members[spelt] = _merged_field(members[spelt], member, field)
            continue
        oneof = field.containing_oneof
        if oneof is not None:
            members = {name: kept for name, kept in members.items() if _oneof(descriptor, name) is not oneof}
        members[key] = member
    return base.with_value(members)


def _oneof(descriptor: Descriptor, key: str) -> object:
    field = field_of(descriptor, key)
    return None if field is None else field.containing_oneof


def _merged_field(base: Node, over: Node, field: FieldDescriptor) -> Node:
    if is_map(field):
        return base.with_value({**base.members(), **over.members()})
    if field.is_repeated:
        return base.with_value([*base.items(), *over.items()])
    if not is_message(field) or not isinstance(over.value, dict) or not isinstance(base.value, dict):
        return over
    if message_of(field).full_name.startswith("google.protobuf."):
        return over
    return merged(base, over, message_of(field))
