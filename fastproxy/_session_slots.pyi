from typing_extensions import Buffer

class SessionSlots:
    def __init__(self, buffer: Buffer, key: bytes) -> None: ...
