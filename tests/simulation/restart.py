"""An edge host restarts: all polling sessions come back to one worker that knows none of them. See docs/affinity.md.

`python -m tests.simulation.restart --sessions 100000` prints one line. The limits are the real ones.
"""

import argparse
import heapq
import random
from dataclasses import dataclass, fields

from fastproxy.exchange.search_limits import SearchLimits
from tests.simulation.mixing import mixed

SETTLED_MS, BELIEVED_MS = 250, 1000  # fastproxy/exchange/asking.pyx
MAX_HELD_BYTES, ASKED_BYTES = 67_108_864, 64  # fastproxy/exchange/questions.pxd


@dataclass(frozen=True)
class Options:
    sessions: int = 100_000
    seconds: int = 25  # in which they come back, evenly; a poll is answered within the same time
    nodes: int = 10  # the balancer's choice is any of them
    addresses: int = 1  # of all clients
    request_bytes: int = 1000
    round_trip_ms: int = 2  # for a node to decline
    seed: int = 4


@dataclass
class Figures:
    limited: int = 0  # answered as lost without being asked for
    too_large: int = 0  # not kept, so sent to one node only
    asked: int = 0
    most_searches: int = 0  # that were charged at once
    most_held_bytes: int = 0


class Restart:
    """`events` are due in order of time; each gives back a charge, or what was held."""

    def __init__(self, options: Options) -> None:
        self.options, self.figures = options, Figures()
        self.limits = SearchLimits(bytes(16))
        self.searches = self.held_bytes = 0
        self.events: list[tuple[float, int, str, int]] = []  # with a number: no two are alike
        self.answered: set[int] = set()
        self.draw = random.Random(options.seed)

    def run(self) -> Figures:
        options = self.options
        for number in range(options.sessions):
            now_ms = number * 1000 * options.seconds / options.sessions
            while self.events and self.events[0][0] <= now_ms:
                self.happen(*heapq.heappop(self.events)[1:])
            self.poll(number, now_ms)
        return self.figures

    def poll(self, number: int, now_ms: float) -> None:
        options, figures = self.options, self.figures
        charge = self.limits.take(mixed(number % options.addresses, 6) & 0xFFFFFFFF, int(now_ms))
        if charge < 0:
            figures.limited += 1
            return
        if self.held_bytes + options.request_bytes > MAX_HELD_BYTES:
            self.limits.give_back(charge)
            figures.too_large += 1
            return
        asked = self.draw.randrange(options.nodes) + 1
        waits_ms = now_ms + options.round_trip_ms * (asked - 1)
        held_bytes = options.request_bytes + ASKED_BYTES * asked
        self.searches += 1
        self.held_bytes += held_bytes
        heapq.heappush(self.events, (waits_ms + SETTLED_MS, number, "settled", charge))
        heapq.heappush(self.events, (waits_ms + BELIEVED_MS, number, "believed", held_bytes))
        answered_ms = now_ms + BELIEVED_MS + self.draw.random() * 1000 * options.seconds
        heapq.heappush(self.events, (answered_ms, number, "answered", held_bytes))
        figures.asked += asked
        figures.most_searches = max(figures.most_searches, self.searches)
        figures.most_held_bytes = max(figures.most_held_bytes, self.held_bytes)

    def happen(self, number: int, what: str, amount: int) -> None:
        if what == "settled":
            self.searches -= 1
            self.limits.give_back(amount)
        elif what == "answered" or self.held_bytes > MAX_HELD_BYTES // 2:
            self.let_go(number, amount)

    def let_go(self, number: int, held_bytes: int) -> None:
        if number not in self.answered:
            self.answered.add(number)
            self.held_bytes -= held_bytes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for each in fields(Options):
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=int, default=each.default)
    figures = Restart(Options(**vars(parser.parse_args()))).run()
    print(
        f"limited {figures.limited:,}, too large {figures.too_large:,}, requests to nodes {figures.asked:,}; at most "
        f"{figures.most_searches:,} searches charged and {figures.most_held_bytes / 2**20:.1f} MiB held at once"
    )


if __name__ == "__main__":
    main()
