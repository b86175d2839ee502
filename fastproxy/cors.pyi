from fastproxy import model_routes as models

class CorsPolicy:
    model: models.CorsPolicy
    def __init__(self, model: models.CorsPolicy) -> None: ...
