"""Python's view of the enums in counters.pxd."""
