JOINED: frozenset[bytes]
