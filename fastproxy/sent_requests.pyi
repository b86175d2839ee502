"""Requests that may have to be sent once more; Cython only."""
