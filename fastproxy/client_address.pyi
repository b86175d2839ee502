from fastproxy.model import HttpConnectionManager

class ClientAddresses:
    def __init__(self, model: HttpConnectionManager) -> None: ...
