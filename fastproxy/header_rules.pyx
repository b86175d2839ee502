"""Headers that a route configuration adds and removes, made ready.

Follows Envoy's HeaderParser: at each level removals come first, then all values are formatted, then come the headers
that replace others, then those that are added. What a variable has no value for is left out; a header whose value is
empty then is not added, unless it is to be kept.
"""

from libc.stdlib cimport calloc, free

from fastproxy.head_fields cimport append_field, has_field, has_room, remove_fields
from fastproxy.http1 cimport header_id
from fastproxy.log_record cimport (
    AUTHORITY, MAX_VALUES, METHOD, PATH, PSEUDOS, SCHEME, add_response, new_record, spread
)
from fastproxy.request_values cimport scheme_of

from fastproxy.log_format import compile_format
from fastproxy.model import AppendAction

cdef enum:
    MAX_RULES = 64  # additions of one level and direction
    MAX_LEVELS = 8

cdef enum Action:
    APPEND
    ADD_IF_ABSENT
    OVERWRITE
    OVERWRITE_IF_EXISTS

ACTIONS = {
    AppendAction.APPEND_IF_EXISTS_OR_ADD: APPEND, AppendAction.ADD_IF_ABSENT: ADD_IF_ABSENT,
    AppendAction.OVERWRITE_IF_EXISTS_OR_ADD: OVERWRITE, AppendAction.OVERWRITE_IF_EXISTS: OVERWRITE_IF_EXISTS,
}


cdef HeaderName name_of(bytes text) except *:
    """Borrows `text`."""
    return HeaderName(Slice(text, len(text)), header_id(text, len(text)))


cdef class HeaderChanges:
    """The changes of one level to the heads of one direction."""

    def __cinit__(self, additions, removals):
        if len(additions) > MAX_RULES:
            raise ValueError(f"more than {MAX_RULES} headers to add")
        formats = [compile_format(value.value, "") for value in additions]
        if sum(operator.kind in ("request", "response") for each in formats for operator in each) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} header values in the headers to add")
        self.names = tuple(value.key.lower().encode() for value in additions)
        self.names += tuple(name.lower().encode() for name in removals)
        self.formats = Formats(formats)
        self.additions = <Addition *> calloc(len(additions) + 1, sizeof(Addition))
        self.removals = <HeaderName *> calloc(len(removals) + 1, sizeof(HeaderName))
        if self.additions == NULL or self.removals == NULL:
            raise MemoryError
        for value in additions:
            self.additions[self.addition_count] = Addition(
                name_of(self.names[self.addition_count]), ACTIONS[value.append_action], value.keep_empty_value)
            self.addition_count += 1
        for name in self.names[self.addition_count:]:
            self.removals[self.removal_count] = name_of(name)
            self.removal_count += 1

    def __dealloc__(self):
        free(self.additions)
        free(self.removals)

    # hot

    cdef bint apply(self, Head *head, LogRecord *record, const LogFacts *facts, Room *room) noexcept nogil:
        """Change the head; False when it has no room. `record` has the values that the formats name."""
        cdef Slice values[MAX_VALUES]
        cdef Slice texts[MAX_RULES]
        cdef bint is_wanted[MAX_RULES]
        cdef size_t value_bytes = spread(record, &self.formats.wants, values)
        cdef Addition *addition
        cdef char *end
        cdef int i
        if room.size - room.used < self.formats.most(value_bytes, facts) or not has_room(head, self.addition_count):
            return False
        for i in range(self.removal_count):
            remove_fields(head, self.removals[i].text, self.removals[i].id)
        for i in range(self.addition_count):
            addition = &self.additions[i]
            texts[i].data = room.text + room.used
            end = self.formats.render(i, values, facts, room.text + room.used, False)
            texts[i].length = end - texts[i].data
            room.used += texts[i].length
            is_wanted[i] = texts[i].length > 0 or addition.keep_empty_value
            if is_wanted[i] and (addition.action == ADD_IF_ABSENT or addition.action == OVERWRITE_IF_EXISTS):
                is_wanted[i] = has_field(head, addition.name.text, addition.name.id) == (
                    addition.action == OVERWRITE_IF_EXISTS)
        for i in range(self.addition_count):
            addition = &self.additions[i]
            if is_wanted[i] and addition.action >= OVERWRITE:
                remove_fields(head, addition.name.text, addition.name.id)
                append_field(head, addition.name.text, addition.name.id, texts[i])
        for i in range(self.addition_count):
            addition = &self.additions[i]
            if is_wanted[i] and addition.action < OVERWRITE:
                append_field(head, addition.name.text, addition.name.id, texts[i])
        return True

    # end hot


cdef class HeaderRules:
    """The rules of one level, for requests and for responses."""

    def __init__(self, model):
        self.model = model
        self.request = self.response = None
        if model.request_add or model.request_remove:
            self.request = HeaderChanges(model.request_add, model.request_remove)
        if model.response_add or model.response_remove:
            self.response = HeaderChanges(model.response_add, model.response_remove)
        for each in (self.request, self.response):
            if each is not None and (<HeaderChanges> each).formats.tells_local_address:
                self.tells_local_address = True


cdef class KeptValues:
    """What the rules for a response need of its request, from the one to the other."""

    def __dealloc__(self):
        cdef int i
        for i in range(MAX_LEVELS):
            free(self.records[i])


cdef LogRecord *record_of(const Wants *wants, const RequestFacts *request) noexcept nogil:
    """The values of the request that are wanted; NULL when none are."""
    cdef Slice pseudo[PSEUDOS]
    if wants.requests == 0:
        return NULL
    pseudo[METHOD] = request.head.method
    pseudo[PATH] = request.path
    pseudo[AUTHORITY] = request.authority
    pseudo[SCHEME] = scheme_of(request.head)
    return new_record(wants, pseudo, request.head.fields, request.head.count)


cdef bint change_request(tuple rules, const RequestFacts *request, const LogFacts *facts, Room *room) noexcept:
    """Change the request's head as the rules say, one level after the other; False when it has no room for that."""
    cdef HeaderRules each
    cdef LogRecord *record
    cdef bint fits = True
    for each in rules:
        if each.request is not None and fits:
            record = record_of(&each.request.formats.wants, request)
            fits = each.request.apply(request.head, record, facts, room)
            free(record)
    return fits


cdef KeptValues keep_for_response(tuple rules, const RequestFacts *request):
    """What the rules will need of this request for its response; None when that is nothing."""
    cdef KeptValues kept = None
    cdef HeaderRules each
    cdef int level = 0
    for each in rules:
        if each.response is not None and each.response.formats.wants.requests and level < MAX_LEVELS:
            if kept is None:
                kept = KeptValues.__new__(KeptValues)
            kept.records[level] = record_of(&each.response.formats.wants, request)
        level += 1
    return kept


cdef bint change_response(tuple rules, Head *head, KeptValues kept, const LogFacts *facts, Room *room) noexcept:
    """Change the response's head as the rules say; False when it has no room. `kept` serves one response."""
    cdef HeaderRules each
    cdef LogRecord *record
    cdef int level = 0
    cdef bint fits = True
    for each in rules:
        if each.response is not None and fits:
            record = NULL
            if kept is not None and level < MAX_LEVELS:
                record = kept.records[level]
                kept.records[level] = NULL
            if record == NULL and each.response.formats.wants.responses:
                record = new_record(&each.response.formats.wants, NULL, NULL, 0)
            record = add_response(record, &each.response.formats.wants, head.fields, head.count)
            fits = each.response.apply(head, record, facts, room)
            free(record)
        level += 1
    return fits
