from fastproxy.model_affinity import SessionAffinity, SessionProtocol

class Protocol:
    model: SessionProtocol
    name: bytes
    lifetime_s: int
    can_be_asked: bool
    lost_status: int
    lost_content_type: bytes | None
    lost_body: bytes | None
    takes_paths: bool
    ended_by: bytes | None
    def __init__(self, model: SessionProtocol) -> None: ...

class AffinityPolicy:
    model: SessionAffinity
    engine_io: Protocol | None
    others: tuple[Protocol, ...]
    has_others: bool
    asks: bool
    max_asked_body_bytes: int
    least_sessions: bool
    def __init__(self, model: SessionAffinity) -> None: ...

def policy_of(model: SessionAffinity | None) -> AffinityPolicy | None: ...
