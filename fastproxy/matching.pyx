"""What a request is compared with besides its path: headers, query parameters, cookies, a share of all requests.

Envoy: config.route.v3.RouteMatch, HeaderMatcher, QueryParameterMatcher, type.matcher.v3.StringMatcher.
"""

from libc.string cimport memcmp

from fastproxy.model_routes import WHOLE, StringMatch
from fastproxy.regexes import Regex
from fastproxy.request_values cimport (
    cookie, is_shown, joined_line, next_line, pseudo_header, query_parameter, read_number,
)
from fastproxy.http1 cimport H_CONTENT_TYPE, equals, header
from fastproxy.syscalls cimport memmem, strncasecmp

cdef enum:
    NO_LINE = -1

KINDS = {
    StringMatch.EXACT: STRING_EXACT, StringMatch.PREFIX: STRING_PREFIX, StringMatch.SUFFIX: STRING_SUFFIX,
    StringMatch.CONTAINS: STRING_CONTAINS, StringMatch.REGEX: STRING_REGEX,
}


cdef class StringMatcher:
    """Compares a text."""

    def __init__(self, model):
        self.kind = KINDS[model.kind]
        self.ignore_case = model.ignore_case
        self.text = model.text.encode()
        self.regex = Regex(model.text) if model.kind is StringMatch.REGEX else None

    cdef bint fits(self, Slice value) except -1:
        cdef const char *text = self.text
        cdef size_t length = len(self.text)
        if self.kind == STRING_REGEX:
            return self.regex.full_match(value.data[:value.length])
        if value.length < length or self.kind == STRING_EXACT and value.length != length:
            return False
        if self.kind == STRING_CONTAINS:
            return contains(value, text, length, self.ignore_case)
        if self.kind == STRING_SUFFIX:
            value.data += value.length - length
        return same(value.data, text, length, self.ignore_case)


cdef bint same(const char *text, const char *other, size_t length, bint ignore_case) noexcept nogil:
    return (strncasecmp(text, other, length) if ignore_case else memcmp(text, other, length)) == 0


cdef bint contains(Slice value, const char *text, size_t length, bint ignore_case) noexcept nogil:
    """Whether the text is somewhere in the value, which is not shorter."""
    cdef size_t at
    if not ignore_case:
        return memmem(value.data, value.length, text, length) != NULL
    for at in range(value.length - length + 1):
        if strncasecmp(value.data + at, text, length) == 0:
            return True
    return False


cdef bint read_integer(Slice text, int64_t *number) noexcept nogil:
    """A decimal number of 64 bits with sign, white space around it allowed; False for anything else."""
    cdef uint64_t limit = 1ULL << 63
    cdef uint64_t value
    cdef bint negative = False
    while text.length and text.data[text.length - 1] in (c" ", c"\t"):
        text.length -= 1
    while text.length and text.data[0] in (c" ", c"\t"):
        text = Slice(text.data + 1, text.length - 1)
    if text.length and text.data[0] in (c"-", c"+"):
        negative = text.data[0] == c"-"
        text = Slice(text.data + 1, text.length - 1)
    if not read_number(text, &value) or value > limit or value == limit and not negative:
        return False
    number[0] = <int64_t> (0 - value) if negative else <int64_t> value
    return True


cdef class HeaderMatcher:
    """Compares the lines of a header; one that fits is enough."""

    def __init__(self, model):
        self.model = model
        self.name = model.name.encode()
        self.value = StringMatcher(model.value) if model.value is not None else None
        self.has_range = model.range is not None
        self.low, self.below = model.range or (0, 0)
        self.present = model.present
        self.invert = model.invert
        self.missing_is_empty = model.missing_is_empty

    cdef bint holds(self, const RequestFacts *facts) except -1:
        cdef int found = self.any_line(facts)
        if found == NO_LINE:
            if self.missing_is_empty:
                found = self.fits(Slice(b"", 0))
            elif self.value is not None or self.has_range:
                return False
            else:
                found = not self.present
        return bool(found) != self.invert

    cdef int any_line(self, const RequestFacts *facts) except -2:
        """Whether a line of the header fits, NO_LINE when there is none."""
        cdef Slice value
        cdef bytes joined
        cdef int line
        cdef int found = NO_LINE
        if self.name[0] == c":":
            return self.fits(value) if pseudo_header(&value, self.name, facts) else NO_LINE
        line = next_line(facts.head, self.name, len(self.name), 0)
        if line >= 0 and not is_shown(facts.head, self.name):
            return NO_LINE
        while line >= 0:
            value = facts.head.fields[line].value
            joined = joined_line(facts.head, line)
            if joined is not None:
                value = Slice(joined, len(joined))
            found = self.fits(value)
            if found:
                break
            line = next_line(facts.head, self.name, len(self.name), line + 1)
        return found

    cdef bint fits(self, Slice value) except -1:
        cdef int64_t number
        if self.value is not None:
            return self.value.fits(value)
        if self.has_range:
            return read_integer(value, &number) and self.low <= number < self.below
        return self.present


cdef class QueryParameterMatcher:
    """Compares the first query parameter of a name."""

    def __init__(self, model):
        self.model = model
        self.name = model.name.encode()
        self.value = StringMatcher(model.value) if model.value is not None else None
        self.present = model.present

    cdef bint holds(self, const RequestFacts *facts) except -1:
        cdef Slice value
        cdef bint found = query_parameter(facts.path, self.name, len(self.name), &value)
        return self.fits(found, value)

    cdef bint fits(self, bint found, Slice value) except -1:
        """Whether the parameter is what it has to be, once it was looked for."""
        if self.value is not None:
            return found and self.value.fits(value)
        return found == self.present


cdef class CookieMatcher:
    """Compares the first cookie of a name."""

    def __init__(self, model):
        self.model = model
        self.name = model.name.encode()
        self.value = StringMatcher(model.value)
        self.invert = model.invert

    cdef bint holds(self, const RequestFacts *facts) except -1:
        cdef Slice value
        cdef bint found = cookie(facts.head, self.name, len(self.name), &value)
        return (found and self.value.fits(value)) != self.invert


cdef class Conditions:
    """Everything of a route's match but the path; all of it has to hold. `model` is a model_routes.RouteMatch."""

    def __init__(self, model):
        self.headers = tuple(HeaderMatcher(each) for each in model.headers)
        self.query_parameters = tuple(QueryParameterMatcher(each) for each in model.query_parameters)
        self.cookies = tuple(CookieMatcher(each) for each in model.cookies)
        self.share = model.share
        self.grpc = model.grpc

    @property
    def are_none(self):
        """Whether every request meets them."""
        is_whole = self.share == WHOLE and not self.grpc
        return is_whole and not (self.headers or self.query_parameters or self.cookies)

    cdef bint hold(self, const RequestFacts *facts) except -1:
        cdef HeaderMatcher header_matcher
        cdef QueryParameterMatcher parameter_matcher
        cdef CookieMatcher cookie_matcher
        if not self.takes_part(facts) or self.grpc and not is_grpc(facts):
            return False
        for header_matcher in self.headers:
            if not header_matcher.holds(facts):
                return False
        for parameter_matcher in self.query_parameters:
            if not parameter_matcher.holds(facts):
                return False
        for cookie_matcher in self.cookies:
            if not cookie_matcher.holds(facts):
                return False
        return True

    cdef bint takes_part(self, const RequestFacts *facts) noexcept:
        """Whether the request's draw lies in the share."""
        return facts.random % 1000000 < self.share


cdef bint is_grpc(const RequestFacts *facts) noexcept nogil:
    cdef const Slice *content_type = header(facts.head, H_CONTENT_TYPE)
    if content_type == NULL or content_type.length < 16:
        return False
    return equals(Slice(content_type.data, 16), b"application/grpc") and (
        content_type.length == 16 or content_type.data[16] == c"+")
