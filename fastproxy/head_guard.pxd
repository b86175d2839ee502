"""Puts every head before httptools, whose strict llhttp decides what HTTP/1.1 is."""


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
    cdef object begin(self, bint is_request)
    cdef bint admit_part(self, object parser, const char *data, size_t length)
