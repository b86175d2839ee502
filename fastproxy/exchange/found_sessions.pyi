"""Nothing for Python: the engine runs it."""
