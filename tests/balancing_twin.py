"""Maglev, the bound on loads and turns by deadline once more, slow and plain: the oracle of the tests of balancers.

Written from the papers and Envoy's documentation, with Python numbers and the generator of Python's own `random`,
which is MT19937 as well; it shares nothing with the compiled modules.
"""

import heapq
import math
import random
from collections.abc import Callable, Sequence

from tests import ring_twin


def maglev(keys: Sequence[bytes], shares: Sequence[float], size: int) -> list[int]:
    """The host of each slot of the table."""
    order = sorted(range(len(keys)), key=lambda host: keys[host])
    offsets = {host: ring_twin.xx_hash(keys[host]) % size for host in order}
    skips = {host: ring_twin.xx_hash(keys[host], 1) % (size - 1) + 1 for host in order}
    tried = dict.fromkeys(order, 0)
    targets = dict.fromkeys(order, 0.0)
    table: dict[int, int] = {}
    turn = 0
    while True:
        turn += 1
        for host in order:
            if turn * shares[host] < targets[host]:
                continue
            targets[host] += max(shares)
            while (slot := (offsets[host] + skips[host] * tried[host]) % size) in table:
                tried[host] += 1
            table[slot] = host
            tried[host] += 1
            if len(table) == size:
                return [table[slot] for slot in range(size)]


def twister(seed: int) -> random.Random:
    """Python's generator in the state that MT19937's own seeding by one number gives."""
    words = [seed & 0xFFFFFFFF]
    for i in range(1, 624):
        words.append((1812433253 * (words[-1] ^ (words[-1] >> 30)) + i) & 0xFFFFFFFF)
    generator = random.Random()
    generator.setstate((3, (*words, 624), None))
    return generator


def draw_below(generator: random.Random, limit: int) -> int:
    while (drawn := generator.getrandbits(32) // (2**32 // limit)) >= limit:
        pass
    return drawn


def bounded(
    request_hash: int, first: int, shares: Sequence[float], active: Sequence[int], in_cluster: int, factor: int
) -> int:
    """The host that takes the request whose own host is `first`."""
    total = ((in_cluster + 1) * factor + 99) // 100
    loads = [count / max(math.ceil(total * share), 1) for count, share in zip(active, shares, strict=True)]
    if loads[first] <= 1:
        return first
    generator, order, best = twister(request_hash), list(range(len(shares))), first
    for i in range(len(order)):
        j = i + draw_below(generator, len(order) - i)
        order[i], order[j] = order[j], order[i]
        if order[i] != first and loads[order[i]] <= 1:
            return order[i]
        if loads[order[i]] < loads[best]:
            best = order[i]
    return best


def turns(weights: Sequence[float], count: int, weight_of: Callable[[int], float]) -> list[int]:
    """Who comes when: each again after 1 / weight; of equal deadlines the one that was set first."""
    heap = [(1.0 / weight, number, number) for number, weight in enumerate(weights)]
    heapq.heapify(heap)
    taken = []
    for number in range(len(weights), len(weights) + count):
        deadline, _, thing = heap[0]
        taken.append(thing)
        heapq.heapreplace(heap, (deadline + 1.0 / weight_of(thing), number, thing))
    return taken
