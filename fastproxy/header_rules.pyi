import fastproxy.model

class HeaderRules:
    model: fastproxy.model.HeaderRules
    def __init__(self, model: fastproxy.model.HeaderRules) -> None: ...
