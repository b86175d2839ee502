"""Nothing for Python: the engine calls it."""
