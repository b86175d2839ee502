from fastproxy import model_routes as models

class OriginPolicy:
    model: models.OriginPolicy
    def __init__(self, model: models.OriginPolicy) -> None: ...
