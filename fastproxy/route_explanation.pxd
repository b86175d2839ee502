"""Why a request takes the route that it takes, in words."""

from fastproxy.request_facts cimport RequestFacts
from fastproxy.routing cimport RouteTable


cdef dict explained(RouteTable table, const RequestFacts *facts)
