"""Session ids of other protocols than Engine.IO's: where a message may carry one, and what may be one.

An id is copied, unescaped, so that it is the same text wherever it stands.
"""

from libc.string cimport memchr, memcmp, memcpy

from fastproxy.http1 cimport Head
from fastproxy.json_members cimport FOUND, FOUND_NOTHING, FOUND_PART, Found, Member, find_member, hex_digits, unescape
from fastproxy.request_values cimport query_parameter, unquoted
from fastproxy.slices cimport Slice
from fastproxy.syscalls cimport memmem, strncasecmp


# hot

cdef bint is_id(const char *text, size_t length) noexcept nogil:
    """Whether it may be an id: 1 to MAX_ID visible ASCII characters, none that ends or quotes a value in a header."""
    cdef size_t i
    cdef char c
    if length == 0 or length > MAX_ID:
        return False
    for i in range(length):
        c = text[i]
        if c <= c" " or c > c"~" or c == c'"' or c == c"," or c == c";" or c == c"\\":
            return False
    return True


cdef bint take_id(SessionId *id, Slice value) noexcept nogil:
    id.length = 0
    if is_id(value.data, value.length):
        memcpy(id.text, value.data, value.length)
        id.length = value.length
    return id.length > 0

# end hot


cdef bint take_query_id(SessionId *id, Slice value) noexcept nogil:
    """Take the value of a query parameter, `%2B` being a `+`."""
    cdef size_t i = 0
    cdef size_t length = 0
    cdef int escaped
    id.length = 0
    while i < value.length:
        if length == MAX_ID:
            return False
        id.text[length] = value.data[i]
        if value.data[i] == c"%":
            escaped = hex_digits(value.data + i + 1, value.data + value.length, 2)
            if escaped < 0:
                return False
            id.text[length] = escaped
            i += 2
        length += 1
        i += 1
    if is_id(id.text, length):
        id.length = length
    return id.length > 0


cdef bint url_id(SessionId *id, Slice url, const char *name, size_t length) noexcept nogil:
    """Take a parameter of a URL's query."""
    cdef Slice value
    cdef const char *fragment = <const char *> memchr(url.data, c"#", url.length)
    id.length = 0
    if fragment != NULL:
        url.length = fragment - url.data
    return query_parameter(url, name, length, &value) and take_query_id(id, value)


cdef bint is_sockjs_transport(Slice name) noexcept nogil:
    if name.length == 3:
        return memcmp(name.data, b"xhr", 3) == 0
    if name.length == 5:
        return memcmp(name.data, b"jsonp", 5) == 0
    if name.length == 8:
        return memcmp(name.data, b"xhr_send", 8) == 0 or memcmp(name.data, b"htmlfile", 8) == 0
    if name.length == 9:
        return memcmp(name.data, b"websocket", 9) == 0
    if name.length == 10:
        return memcmp(name.data, b"jsonp_send", 10) == 0
    if name.length == 11:
        return memcmp(name.data, b"eventsource", 11) == 0
    return name.length == 13 and memcmp(name.data, b"xhr_streaming", 13) == 0


cdef Slice last_segment(Slice *path) noexcept nogil:
    """The text behind the last slash, which is cut off with it; empty where there is no slash."""
    cdef Slice segment
    cdef size_t start = path.length
    while start and path.data[start - 1] != c"/":
        start -= 1
    segment.data = path.data + start
    segment.length = path.length - start if start else 0
    path.length = start - 1 if start else 0
    return segment


cdef bint sockjs_id(SessionId *id, Slice path) noexcept nogil:
    """Take the session of `<prefix>/<server>/<session>/<transport>` (SockJS protocol 0.3.3: neither has a dot)."""
    cdef Slice session, server
    cdef const char *query = <const char *> memchr(path.data, c"?", path.length)
    id.length = 0
    if query != NULL:
        path.length = query - path.data
    if not is_sockjs_transport(last_segment(&path)):
        return False
    session = last_segment(&path)
    server = last_segment(&path)
    if not server.length or memchr(server.data, c".", server.length) != NULL:
        return False
    return memchr(session.data, c".", session.length) == NULL and take_id(id, session)


cdef Slice trimmed(const char *at, const char *end) noexcept nogil:
    while at < end and (at[0] == c" " or at[0] == c"\t"):
        at += 1
    while end > at and ((end - 1)[0] == c" " or (end - 1)[0] == c"\t"):
        end -= 1
    return Slice(at, end - at)


cdef bint deletes(Slice attribute) noexcept nogil:
    """Whether an attribute has the browser forget the cookie: an age that is not positive, or the epoch."""
    if attribute.length > 8 and strncasecmp(attribute.data, b"max-age=", 8) == 0:
        return attribute.data[8] == c"0" or attribute.data[8] == c"-"
    return (attribute.length > 8 and strncasecmp(attribute.data, b"expires=", 8) == 0
            and memmem(attribute.data, attribute.length, b"1970", 4) != NULL)


cdef Found read_set_cookie(SessionId *id, Slice line, const char *name, size_t length) noexcept nogil:
    """Read a `set-cookie` line; of a cookie that is to be forgotten the id is empty."""
    cdef const char *end = line.data + line.length
    cdef const char *at = <const char *> memchr(line.data, c";", line.length)
    cdef const char *stop = at if at != NULL else end
    cdef const char *equal = <const char *> memchr(line.data, c"=", stop - line.data)
    cdef Slice text
    if equal == NULL:
        return FOUND_NOTHING
    text = trimmed(line.data, equal)
    if text.length != length or memcmp(text.data, name, length) != 0:
        return FOUND_NOTHING
    text = unquoted(trimmed(equal + 1, stop))
    if not take_id(id, text) and text.length:
        return FOUND_NOTHING
    while stop < end and id.length:
        at = stop + 1
        stop = <const char *> memchr(at, c";", end - at)
        if stop == NULL:
            stop = end
        if deletes(trimmed(at, stop)):
            id.length = 0
    return FOUND


cdef Found set_cookie_id(SessionId *id, const Head *head, const char *name, size_t length) noexcept nogil:
    """Take the cookie of that name that a response sets, the last where there are several; empty: it is deleted."""
    cdef Found found = FOUND_NOTHING
    cdef int i
    id.length = 0
    for i in range(head.count):
        if head.fields[i].name.length == 10 and memcmp(head.fields[i].name.data, b"set-cookie", 10) == 0:
            if read_set_cookie(id, head.fields[i].value, name, length) == FOUND:
                found = FOUND
    return found


cdef Found json_id(SessionId *id, const char *data, size_t length, const char *name, size_t name_length) noexcept nogil:
    """Take a member of the object that is a body, a string or a number."""
    cdef Member member
    cdef ssize_t written
    cdef Found found = find_member(data, length, name, name_length, &member)
    id.length = 0
    if found != FOUND:
        return found
    if member.is_string:
        written = unescape(member.value.data, member.value.data + member.value.length, id.text, MAX_ID)
        id.length = written if written > 0 and is_id(id.text, written) else 0
    elif member.value.length and (member.value.data[0] == c"-" or c"0" <= member.value.data[0] <= c"9"):
        take_id(id, member.value)
    return FOUND if id.length else FOUND_NOTHING


cdef Slice next_event_line(const char **at, const char *end) noexcept nogil:
    """The next line of an event stream, without its end; `data` is NULL where its end is not there."""
    cdef const char *start = at[0]
    cdef const char *stop = start
    while stop < end and stop[0] != c"\n" and stop[0] != c"\r":
        stop += 1
    if stop == end or stop[0] == c"\r" and stop + 1 == end:
        return Slice(NULL, 0)
    at[0] = stop + (2 if stop[0] == c"\r" and stop[1] == c"\n" else 1)
    return Slice(start, stop - start)


cdef inline bint begins(Slice line, const char *word, size_t length) noexcept nogil:
    return line.length >= length and memcmp(line.data, word, length) == 0


cdef Slice after_colon(Slice line, size_t length) noexcept nogil:
    """The value of a field whose name and colon are so long."""
    if line.length > length and line.data[length] == c" ":
        length += 1
    return Slice(line.data + length, line.length - length)


cdef Found event_id(
    SessionId *id, const char *data, size_t length, const char *name, size_t name_length
) noexcept nogil:
    """Take a parameter of the URL that the first event of a stream tells, if it is one named `endpoint`.

    (WHATWG HTML, server-sent events; Model Context Protocol 2024-11-05, HTTP with SSE.)
    """
    cdef const char *at = data
    cdef const char *end = data + length
    cdef Slice line, value
    cdef bint is_endpoint = False
    cdef Slice url = Slice(NULL, 0)
    id.length = 0
    while True:
        line = next_event_line(&at, end)
        if line.data == NULL:
            return FOUND_PART
        if begins(line, b"event:", 6):
            value = after_colon(line, 6)
            is_endpoint = value.length == 8 and memcmp(value.data, b"endpoint", 8) == 0
        elif begins(line, b"data:", 5) and url.data == NULL:
            url = after_colon(line, 5)
        elif line.length == 0 and url.data != NULL:
            return FOUND if is_endpoint and url_id(id, url, name, name_length) else FOUND_NOTHING


cdef answer(Found found, SessionId *id):
    if found == FOUND_PART:
        return "incomplete"
    return id.text[:id.length] if found == FOUND else None


def in_set_cookie(bytes name, *lines):
    """The id that `set-cookie` lines set, b"" where they delete it, None where they do neither."""
    cdef SessionId id
    cdef Head head
    cdef bytes line
    cdef int i
    head.count = len(lines)
    for i, line in enumerate(lines):
        head.fields[i].name = Slice(b"set-cookie", 10)
        head.fields[i].value = Slice(line, len(line))
    return answer(set_cookie_id(&id, &head, name, len(name)), &id)


def in_json(bytes name, bytes body):
    """The member of the object that the bytes begin with, None, or "incomplete"."""
    cdef SessionId id
    return answer(json_id(&id, body, len(body), name, len(name)), &id)


def in_event(bytes name, bytes body):
    """The parameter of the URL that the first event tells, None, or "incomplete"."""
    cdef SessionId id
    return answer(event_id(&id, body, len(body), name, len(name)), &id)


def in_query(bytes name, bytes url):
    """The parameter of the URL's query, or None."""
    cdef SessionId id
    return answer(FOUND if url_id(&id, Slice(url, len(url)), name, len(name)) else FOUND_NOTHING, &id)


def in_sockjs_path(bytes path):
    """The session in a path of SockJS, or None."""
    cdef SessionId id
    return answer(FOUND if sockjs_id(&id, Slice(path, len(path))) else FOUND_NOTHING, &id)
