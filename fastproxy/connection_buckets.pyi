"""Nothing for Python: local_rate_limits calls it."""
