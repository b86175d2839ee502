"""CORS policies of routes."""

from fastproxy.slices cimport Slice


cdef class CorsPolicy:
    cdef readonly object model  # model_routes.CorsPolicy
    cdef tuple origins

    cdef bint allows(self, Slice origin) except -1
