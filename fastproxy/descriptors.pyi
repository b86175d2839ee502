from fastproxy import model_descriptors as models

class DescriptorAction:
    def __init__(self, model: models.DescriptorAction, service_cluster: str) -> None: ...

class DescriptorRule:
    hits: int
    tells_clients: bool | None
    def __init__(self, model: models.DescriptorRule, service_cluster: str = "") -> None: ...
    def descriptor_of(
        self, head: bytes, source: str, cluster: bytes | None = None
    ) -> tuple[tuple[bytes, bytes], ...] | None: ...
