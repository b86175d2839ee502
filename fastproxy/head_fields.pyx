"""Changes to the fields of a parsed head, in place: route, hash, log and the other side all see the same.

What stands behind `Head.received` the proxy has put there itself.
"""

from libc.stdint cimport uint64_t
from libc.string cimport memcmp, strlen

from fastproxy.http1 cimport H_OTHER, H_X_ENVOY, MAX_FIELDS, SPARE_FIELDS
from fastproxy.slices cimport Field

# hot

cdef bint has_room(const Head *head, int fields) noexcept nogil:
    """Whether so many fields more may be added."""
    return head.count + fields <= MAX_FIELDS + SPARE_FIELDS


cdef void add_field(Head *head, const char *name, HeaderId id, Slice value) noexcept nogil:
    """Put a field behind the others. There is always room for the manager's own."""
    append_field(head, Slice(name, strlen(name)), id, value)


cdef void append_field(Head *head, Slice name, HeaderId id, Slice value) noexcept nogil:
    """Put a field behind the others, where there is room (`has_room`)."""
    cdef uint64_t bit = <uint64_t> 1 << <int> id
    cdef Field *field
    if head.count >= MAX_FIELDS + SPARE_FIELDS:
        return
    field = &head.fields[head.count]
    field.name = name
    field.value = value
    field.id = id
    if id != H_OTHER:
        if head.seen & bit:
            head.repeated |= bit
        else:
            head.seen |= bit
            head.first[<int> id] = head.count
    head.count += 1


cdef void set_field(Head *head, const char *name, HeaderId id, Slice value) noexcept nogil:
    """Have one field of that kind, in the place of the first one if there was any."""
    cdef int i, first
    if not head.seen >> <int> id & 1:
        add_field(head, name, id, value)
        return
    first = head.first[<int> id]
    head.fields[first].value = value
    if head.repeated >> <int> id & 1:
        head.repeated &= ~(<uint64_t> 1 << <int> id)
        for i in range(first + 1, head.count):
            if head.fields[i].id == <int> id:
                remove_field(head, i)


cdef void remove_field(Head *head, int index) noexcept nogil:
    """Make a field one that nobody sees: its name is empty."""
    head.fields[index].name.length = 0
    head.fields[index].id = H_OTHER


cdef inline bint is_called(const Field *field, Slice name, HeaderId id) noexcept nogil:
    return (
        field.id == <int> id and field.name.length == name.length
        and memcmp(field.name.data, name.data, name.length) == 0)


cdef bint has_field(const Head *head, Slice name, HeaderId id) noexcept nogil:
    """Whether there is a field of that name, which is lower case."""
    cdef int i
    for i in range(head.count):
        if is_called(&head.fields[i], name, id):
            return True
    return False


cdef void remove_fields(Head *head, Slice name, HeaderId id) noexcept nogil:
    """Remove every line of that name, which is lower case."""
    cdef int i
    for i in range(head.count):
        if is_called(&head.fields[i], name, id):
            remove_field(head, i)
    if id != H_OTHER and id != H_X_ENVOY:  # those two stand for many names
        head.seen &= ~(<uint64_t> 1 << <int> id)
        head.repeated &= ~(<uint64_t> 1 << <int> id)

# end hot
