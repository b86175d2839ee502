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
        """Whether `data`, one whole head, is a request. A parser that saw its message end is used again; what it saw
        before cannot speak against this head: that is for a new one to say."""
        cdef bint is_new = self.request_parser is None
        if is_new:
            self.request_parser = self.begin(True)
        if self.admit_part(self.request_parser, data, length):
            if not ends_message:
                self.request_parser = None
            return True
        self.request_parser = None
        return not is_new and self.admit_request(data, length, ends_message)

    cdef bint admit_response(self, const char *data, size_t length, bint ends_message):
        """Whether `data`, a head and, when `ends_message`, all of its body, is a response."""
        cdef bint is_new = self.response_parser is None
        if is_new:
            self.response_parser = self.begin(False)
        if self.admit_part(self.response_parser, data, length):
            if not ends_message:
                self.response_parser = None
            return True
        self.response_parser = None
        return not is_new and self.admit_response(data, length, ends_message)

    cdef bint admit_handshake(self, bint is_request, char *data, size_t length, char *letter):
        """Whether `data`, one whole head that wants to upgrade or says 101, and has no body, is one.

        llhttp stops behind such a message, which costs an exception. It is shown one that is none, the same but for a
        letter: of the name of Upgrade, or the last one of the status.
        """
        cdef char original = letter[0]
        cdef bint is_admitted
        letter[0] = c"x" if is_request else c"0"
        is_admitted = self.admit_request(data, length, True) if is_request else self.admit_response(data, length, True)
        letter[0] = original
        return is_admitted

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
