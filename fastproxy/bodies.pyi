"""Nothing for Python: `inspection` shows what it does with given bytes."""
