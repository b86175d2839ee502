"""Puts every head before httptools, whose strict llhttp decides what HTTP/1.1 is."""

from fastproxy.http1 cimport H_UPGRADE, TOKEN_KEEP_ALIVE, TOKEN_UPGRADE, Head


cdef class HeadGuard:
    """Puts every head before httptools, whose strict llhttp decides what HTTP/1.1 is."""

    cdef object request_parser
    cdef object response_parser
    cdef object request_type
    cdef object response_type
    cdef object upgrade_error
    cdef object parser_error
    cdef object silent
    cdef char *data
    cdef Py_ssize_t length

    cdef bint admit_request(self, const char *data, size_t length, bint ends_message)
    cdef bint admit_response(self, const char *data, size_t length, bint ends_message)
    cdef bint admit_handshake(self, bint is_request, char *data, size_t length, char *letter)
    cdef object begin(self, bint is_request)
    cdef bint admit_part(self, object parser, const char *data, size_t length)


cdef inline bint leads_on(const Head *head) noexcept nogil:
    """Whether llhttp would take another message behind this one: a parser that saw all of it can be used again."""
    return head.minor_version == 1 and not head.tokens & ~(<int> TOKEN_KEEP_ALIVE | <int> TOKEN_UPGRADE)


cdef inline bint is_handshake(const Head *head) noexcept nogil:
    """Whether llhttp takes this for an upgrade, if it is a request or a 101."""
    return head.tokens & TOKEN_UPGRADE and head.seen >> <int> H_UPGRADE & 1


cdef inline bint has_no_body(const Head *head) noexcept nogil:
    return head.content_length <= 0 and not head.is_chunked
