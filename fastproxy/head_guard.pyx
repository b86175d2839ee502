"""Puts every head before httptools, whose strict llhttp decides what HTTP/1.1 is."""

from cpython.buffer cimport PyBuffer_FillInfo

import httptools


class Silent:
    """A parser's protocol without callbacks: llhttp checks, and nothing is made of what it reads."""

    __slots__ = ()


cdef class HeadGuard:
    """Puts every head before httptools, whose strict llhttp decides what HTTP/1.1 is.

    httptools is fed through the buffer protocol of this object, which shows it the bytes where they lie.
    """

    def __cinit__(self):
        self.request_type = httptools.HttpRequestParser
        self.response_type = httptools.HttpResponseParser
        self.upgrade_error = httptools.HttpParserUpgrade
        self.parser_error = httptools.HttpParserError
        self.silent = Silent()

    def __getbuffer__(self, Py_buffer *buffer, int flags):
        PyBuffer_FillInfo(buffer, self, self.data, self.length, 1, flags)

    cdef bint admit_request(self, const char *data, size_t length, bint ends_message):
        """Whether `data`, one whole head, is a request. A parser that saw its message end is used again."""
        if self.request_parser is None:
            self.request_parser = self.request_type(self.silent)
        if self.admit_part(self.request_parser, data, length):
            if not ends_message:
                self.request_parser = None
            return True
        self.request_parser = None
        return False

    cdef bint admit_response(self, const char *data, size_t length, bint ends_message):
        """Whether `data`, a head and, when `ends_message`, all of its body, is a response."""
        if self.response_parser is None:
            self.response_parser = self.response_type(self.silent)
        if self.admit_part(self.response_parser, data, length):
            if not ends_message:
                self.response_parser = None
            return True
        self.response_parser = None
        return False

    cdef object begin(self, bint is_request):
        """A parser for a head that comes in parts."""
        return self.request_type(self.silent) if is_request else self.response_type(self.silent)

    cdef bint admit_part(self, object parser, const char *data, size_t length):
        """Feed the next part of a head; False when it cannot become one any more."""
        self.data = <char *> data
        self.length = length
        try:
            parser.feed_data(self)
        except self.upgrade_error:
            pass
        except self.parser_error:
            return False
        return True
