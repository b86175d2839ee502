from fastproxy import model_routes as models

class Redirect:
    status: int
    def __init__(self, model: models.Redirect, keeps_authority: bool = False) -> None: ...
