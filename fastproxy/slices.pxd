"""Borrowed pieces of wire text: a pointer into somebody else's buffer, valid only while that buffer is."""

cdef struct Slice:
    const char *data
    size_t length


cdef struct Field:
    Slice name  # lower case
    Slice value  # without the white space around it
    int id  # which well-known header it is (http1.pxd), 0 for any other
