"""Numbers that look drawn by lot and are the same each time."""

WORD = (1 << 64) - 1


def mixed(number: int, seed: int = 0) -> int:
    """64 bits of both (the finalizer of SplitMix64, Steele and others 2014)."""
    word = (number + seed * 0x9E3779B97F4A7C15) & WORD
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
    return word ^ word >> 31
