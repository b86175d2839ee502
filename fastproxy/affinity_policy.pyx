"""The session protocols of a route, compiled: how an id is found in a request, and who is asked for one.

Knows messages, not tables or hosts.
"""

from fastproxy.model_affinity import IdSource
from fastproxy.syscalls cimport memmem


cdef class Protocol:
    """One protocol; `model` is a model_affinity.SessionProtocol."""

    def __init__(self, model):
        lost = model.lost
        self.model = model
        self.name = model.name.encode()
        self.lifetime_s = model.lifetime_s
        self.can_be_asked = lost is not None
        self.said = ()
        if lost is not None:
            self.lost_status = lost.status
            self.lost_content_type = lost.content_type.encode()
            self.lost_body = lost.body.encode()
            self.said = tuple((answer.status, answer.text.encode()) for answer in lost.said)

    cdef bint says_lost(self, int status, const char *body, size_t length) noexcept:
        """Whether an answer, of whose body `length` bytes are here, says that the session is not known."""
        cdef int said_status
        cdef bytes text
        for said_status, text in self.said:
            if said_status == status and (not text or memmem(body, length, <const char *> text, len(text)) != NULL):
                return True
        return False


cdef class AffinityPolicy:
    """`model` is a model_affinity.SessionAffinity."""

    def __init__(self, model):
        self.model = model
        self.asks = model.ask
        self.max_asked_body_bytes = model.max_asked_body_bytes
        self.least_sessions = model.least_sessions
        others = []
        for protocol in model.protocols:
            if any(place.source is IdSource.OPEN_PACKET for place in protocol.issued):
                self.engine_io = Protocol(protocol)
            else:
                others.append(Protocol(protocol))
        self.others = tuple(others)

    cdef Protocol find_id(self, const RequestFacts *facts, const EngineIo *engine_io, Slice *id):
        """The protocol that a request belongs to; None when it belongs to none. `id` is empty when it carries none."""
        id.length = 0
        if engine_io.is_engine_io and self.engine_io is not None:
            id[0] = engine_io.sid
            return self.engine_io
        return None


def policy_of(model):
    """The policy for a model_affinity.SessionAffinity; None when no session is looked for."""
    return AffinityPolicy(model) if model is not None and model.protocols else None
