import fastproxy.model

class ReplyMapping:
    def __init__(self, model: fastproxy.model.LocalReplies) -> None: ...
