"""The hashes and the ring once more, slow and plain: the oracle of the tests of `_ring`.

Written from the specifications step by step, with Python integers, a sum that grows entry by entry and a search
that looks at every entry. It shares nothing with the compiled module.
"""

import math
from collections.abc import Sequence

MASK = (1 << 64) - 1
PRIMES = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579, 2870177450012600261)


def rotate(word: int, bits: int) -> int:
    return ((word << bits) | (word >> (64 - bits))) & MASK


def accumulate(lane: int, word: int) -> int:
    return rotate((lane + word * PRIMES[1]) & MASK, 31) * PRIMES[0] & MASK


def word_at(data: bytes, offset: int, length: int) -> int:
    return int.from_bytes(data[offset : offset + length], "little")


def whole_stripes(data: bytes, seed: int) -> int:
    """The state after all stripes of 32 bytes; without one the short start value."""
    if len(data) < 32:
        return (seed + PRIMES[4]) & MASK
    lanes = [seed + PRIMES[0] + PRIMES[1], seed + PRIMES[1], seed, seed - PRIMES[0]]
    for stripe in range(0, len(data) // 32 * 32, 32):
        lanes = [accumulate(lane & MASK, word_at(data, stripe + 8 * i, 8)) for i, lane in enumerate(lanes)]
    state = sum(rotate(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & MASK
    for lane in lanes:
        state = ((state ^ accumulate(0, lane)) * PRIMES[0] + PRIMES[3]) & MASK
    return state


def xx_hash(data: bytes, seed: int = 0) -> int:
    state = (whole_stripes(data, seed) + len(data)) & MASK
    offset = len(data) // 32 * 32
    while offset + 8 <= len(data):
        state ^= accumulate(0, word_at(data, offset, 8))
        state = (rotate(state, 27) * PRIMES[0] + PRIMES[3]) & MASK
        offset += 8
    if offset + 4 <= len(data):
        state ^= word_at(data, offset, 4) * PRIMES[0] & MASK
        state = (rotate(state, 23) * PRIMES[1] + PRIMES[2]) & MASK
        offset += 4
    for byte in data[offset:]:
        state = rotate(state ^ (byte * PRIMES[4] & MASK), 11) * PRIMES[0] & MASK
    for shift, prime in ((33, PRIMES[1]), (29, PRIMES[2])):
        state = (state ^ (state >> shift)) * prime & MASK
    return state ^ (state >> 32)


def murmur(data: bytes) -> int:
    multiplier = 0xC6A4A7935BD1E995
    state = 0xC70F6907 ^ (len(data) * multiplier & MASK)
    whole = len(data) // 8 * 8
    for offset in range(0, whole, 8):
        word = word_at(data, offset, 8) * multiplier & MASK
        word = (word ^ (word >> 47)) * multiplier & MASK
        state = (state ^ word) * multiplier & MASK
    if len(data) > whole:
        state = (state ^ word_at(data, whole, 8)) * multiplier & MASK
    state = (state ^ (state >> 47)) * multiplier & MASK
    return state ^ (state >> 47)


def entries(
    keys: Sequence[bytes], weights: Sequence[int], minimum_size: int, maximum_size: int, use_murmur: bool
) -> list[tuple[int, int]]:
    """The ring as (hash, host index), sorted by hash alone and so stable."""
    digest = murmur if use_murmur else xx_hash
    shares = [weight / sum(weights) for weight in weights]
    scale = min(math.ceil(min(shares) * minimum_size) / min(shares), maximum_size)
    current = target = 0.0
    ring = []
    for host, (key, share) in enumerate(zip(keys, shares, strict=True)):
        target += scale * share
        number = 0
        while current < target:
            ring.append((digest(key + b"_%d" % number), host))
            number += 1
            current += 1
    return sorted(ring, key=lambda entry: entry[0])


def choose(ring: Sequence[tuple[int, int]], request_hash: int, attempt: int = 0) -> int:
    """Host of the first entry at or after the hash, entry 0 behind the last; `attempt` entries further on."""
    index = next((i for i, (position, _) in enumerate(ring) if position >= request_hash), 0)
    return ring[(index + attempt) % len(ring)][1]
