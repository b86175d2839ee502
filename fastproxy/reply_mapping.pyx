"""What a connection manager makes of the answers that the proxy gives by itself (Envoy: LocalReplyConfig).

The first mapper whose filter admits a reply may change its status, body and headers; then the body is put into a
format, the mapper's own or the one for all. Nothing here runs for what an upstream has answered.
"""

import json

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from fastproxy.header_rules import HeaderRules as make_header_rules
from fastproxy.log_format import compile_format
from fastproxy.log_operations cimport DURATION, LITERAL, NUMBER, VALUE, Operation, put_operation
from fastproxy.log_record cimport MAX_VALUES, new_record, spread
from fastproxy.model import HeaderRules as RulesModel

OWN_BODY = "%LOCAL_REPLY_BODY%"


def json_text(bytes text):
    """A JSON text; what is no UTF-8 is shown as `\\xNN`."""
    return json.dumps(text.decode("utf-8", "backslashreplace"), ensure_ascii=False).encode()


def within_json(bytes text):
    """What stands between the quotes of a JSON text."""
    return json_text(text).removeprefix(b'"').removesuffix(b'"')


cdef class ReplyBody:
    """A format of bodies; what it names goes to the formats of its mapping."""

    def __init__(self, model, list compiled):
        self.content_type = model.content_type.encode()
        self.is_json = model.is_json
        self.pieces = []
        self.quoted = []
        if model.is_json:
            self.add_json(json.loads(model.template), compiled)
            self.add(b"\n", False)
        else:
            self.add_text(model.template, compiled, False)

    def add(self, piece, quoted):
        self.pieces.append(piece)
        self.quoted.append(quoted)

    def add_text(self, text, compiled, quoted):
        for number, part in enumerate(text.split(OWN_BODY)):
            if number:
                self.add(None, quoted)
            if part:
                self.add(len(compiled), quoted)
                compiled.append(compile_format(part))

    def add_json(self, value, compiled):
        if isinstance(value, dict):
            self.add_members(b"{", b"}", sorted(value.items()), compiled)
        elif isinstance(value, list):
            self.add_members(b"[", b"]", [(None, each) for each in value], compiled)
        elif isinstance(value, str):
            self.add_json_text(value, compiled)
        else:
            self.add(json.dumps(value).encode(), False)

    def add_members(self, opening, closing, members, compiled):
        for number, (key, value) in enumerate(members):
            name = json_text(key.encode()) + b":" if key is not None else b""
            self.add((b"," if number else opening) + name, False)
            self.add_json(value, compiled)
        self.add(closing if members else opening + closing, False)

    def add_json_text(self, text, compiled):
        """A text; one that is a single number alone stays a number."""
        operators = compile_format(text) if text and OWN_BODY not in text else []
        if len(operators) == 1 and operators[0].kind != "literal":
            self.add(len(compiled), False)
            compiled.append(operators)
            return
        self.add(b'"', False)
        self.add_text(text, compiled, True)
        self.add(b'"', False)


cdef class ReplyMapper:
    """One mapper, ready."""

    def __init__(self, model, list compiled):
        self.filter = LogFilter(model.filter)
        self.status = model.status
        self.body = model.body
        self.format = None if model.format is None else ReplyBody(model.format, compiled)
        self.header_rules = (make_header_rules(RulesModel(response_add=model.headers)),) if model.headers else ()


cdef class ReplyMapping:
    """All mappers of one connection manager. ValueError for a format."""

    def __init__(self, model):
        self.compiled = []
        self.mappers = tuple(ReplyMapper(each, self.compiled) for each in model.mappers)
        self.format = None if model.format is None else ReplyBody(model.format, self.compiled)
        if sum(operator.kind in ("request", "response") for each in self.compiled for operator in each) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} header values in the formats of local replies")
        self.formats = Formats(self.compiled)

    cdef LogRecord *capture(self, const Slice *pseudo, const Head *head) noexcept nogil:
        """What the formats will need of a request; NULL for nothing."""
        if self.formats.wants.requests == 0:
            return NULL
        return new_record(&self.formats.wants, pseudo, head.fields, head.count)

    cdef ReplyMapper mapper_for(self, const LogFacts *facts):
        """The first mapper for a reply of which `facts` tell; None."""
        cdef ReplyMapper mapper
        for mapper in self.mappers:
            if mapper.filter.admits(facts):
                return mapper
        return None

    cdef bytes content_type(self, ReplyMapper mapper):
        """Of the body that `render` makes; None: it makes none of its own."""
        if mapper is not None and mapper.format is not None:
            return mapper.format.content_type
        return None if self.format is None else self.format.content_type

    cdef bytes render(self, ReplyMapper mapper, bytes body, LogRecord *record, const LogFacts *facts):
        """The body in its format."""
        cdef Slice values[MAX_VALUES]
        cdef ReplyBody format = self.format if mapper is None or mapper.format is None else mapper.format
        cdef size_t value_bytes = spread(record, &self.formats.wants, values)
        cdef bint is_unset = False
        if format is None:
            return body
        texts = []
        for piece, quoted in zip(format.pieces, format.quoted):
            if piece is None:
                texts.append(within_json(body) if quoted else body)
            elif isinstance(piece, bytes):
                texts.append(piece)
            else:
                text = self.value(piece, values, value_bytes, facts, &is_unset)
                if quoted:
                    text = within_json(text)
                elif format.is_json:
                    text = b"null" if is_unset else text if self.is_number(piece) else json_text(text)
                texts.append(text)
        return b"".join(texts)

    def is_number(self, int number):
        kind = self.formats.operations[self.formats.ends[number - 1] if number else 0].kind
        return kind == NUMBER or kind == DURATION

    cdef bytes value(self, int number, const Slice *values, size_t value_bytes, const LogFacts *facts, bint *is_unset):
        """What one format says, without the escapes of a log; `is_unset`: it is one operator without a value."""
        cdef Operation *operation = self.formats.operations + (self.formats.ends[number - 1] if number else 0)
        cdef Operation *last = self.formats.operations + self.formats.ends[number]
        cdef bint is_alone = last - operation == 1 and operation.kind != LITERAL
        cdef char *text = <char *> malloc(self.formats.most(value_bytes, facts) + 1)
        cdef char *at = text
        if text == NULL:
            raise MemoryError
        while operation != last:
            if operation.kind == VALUE and values[operation.which].data != NULL:
                memcpy(at, values[operation.which].data, values[operation.which].length)
                at += values[operation.which].length
                is_alone = False
            else:
                at = put_operation(at, operation, values, facts)
            operation += 1
        is_unset[0] = is_alone and at - text == 1 and text[0] == c"-"
        result = text[:at - text]
        free(text)
        return result
