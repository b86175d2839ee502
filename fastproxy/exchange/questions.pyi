"""Requests that wait while the hosts of their cluster are asked whose session it is; Cython only."""
