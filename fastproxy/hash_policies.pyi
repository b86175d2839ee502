class HashPolicy:
    terminal: bool
    name: str
