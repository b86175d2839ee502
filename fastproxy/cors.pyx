"""CORS policies of routes (Envoy: extensions.filters.http.cors.v3.CorsPolicy)."""

from fastproxy.matching cimport StringMatcher


cdef class CorsPolicy:
    """A policy with its origins ready to be compared; everything else is read from its model."""

    def __init__(self, model):
        self.model = model
        self.origins = tuple(StringMatcher(each) for each in model.origins)

    cdef bint allows(self, Slice origin) except -1:
        """Whether pages of this origin may see the answer."""
        cdef StringMatcher matcher
        for matcher in self.origins:
            if matcher.kind == 0 and matcher.text == b"*" or matcher.fits(origin):
                return True
        return False
