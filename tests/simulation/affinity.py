"""What asking costs: sessions on many nodes behind edge hosts that share nothing. See docs/affinity.md.

`python -m tests.simulation.affinity --sessions 1000000` prints one table; each row is a run of its own. The number of
sessions that live stays the same: one that ends is followed by a new one. Sessions are planned by the second; what is
due in one of them is spread evenly over it. Each edge host is one worker, each client has an address of its own.
"""

import argparse
import heapq
import random
from array import array
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from fastproxy.exchange.search_limits import SearchLimits
from fastproxy.exchange.unknown_ids import UnknownIds
from tests.simulation.mixing import mixed
from tests.simulation.nodes import Cluster, least_loaded
from tests.simulation.tables import SessionTable

LIFETIME_S = 60  # of an entry after the last request: Engine.IO's 25 + 20 s and a reserve
UPGRADE_REQUESTS = 4  # two polls, a post, the WebSocket handshake: with the session's id, in its first seconds
SETTLED_MS = 250  # a poll is silent where its session lives: fastproxy/exchange/asking.pyx
ROUND_TRIP_MS = 1  # for a node to decline
FLOODING = 1 << 33  # above every address of a client


@dataclass(frozen=True)
class Options:
    """`has_key`: each client has a key of its own for a hash policy; else handshakes go by least sessions."""

    sessions: int = 1_000_000
    nodes: int = 100
    edges: int = 20
    seconds: int = 300
    life_s: int = 600  # mean
    polling: float = 0.3  # share of the clients that never upgrade
    poll_s: int = 25
    moves: float = 0.0  # probability that a request goes to another edge host than the one before
    has_key: bool = False
    slots: int = 1 << 20
    node_every_s: int = 60  # a node begins to drain and another one joins
    drain_s: int = 120
    edge_every_s: int = 45  # an edge host restarts with an empty table
    flood_per_s: int = 0  # made-up ids, at one edge host
    flood_from: int = 1  # addresses
    seed: int = 4


@dataclass
class Figures:
    begun: int = 0
    requests: int = 0  # with a session's id
    hits: int = 0  # of these the table knew
    found: int = 0  # sessions found by asking
    asked: int = 0  # requests to nodes for sessions that were found
    searched_in_vain: int = 0  # sessions whose node was gone
    asked_in_vain: int = 0  # requests to nodes for these
    ended_with_node: int = 0
    displaced: int = 0
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # though their node lives, by reason
    flood_ids: int = 0
    flood_asked: int = 0
    live: int = 0
    memory_bytes: int = 0
    spread: tuple[float, float] = (0.0, 0.0)  # sessions of the emptiest and of the fullest node, to the mean


class Edge:
    """One edge host: nothing that it knows is known to another, or outlives its restart."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.epoch = 0
        self.restart()

    def restart(self) -> None:
        self.epoch += 1
        self.table = SessionTable(self.options.slots)
        self.unknown = UnknownIds()
        self.limits = SearchLimits(bytes(16))
        self.charged: list[tuple[int, int]] = []  # when it is given back: ms, charge
        self.opened: list[int] = [0] * 65536  # live sessions that began here, by node

    def take(self, client: int, now_ms: int) -> int:
        """What SearchLimits says when all is given back that is due."""
        while self.charged and self.charged[0][0] <= now_ms:
            self.limits.give_back(heapq.heappop(self.charged)[1])
        return self.limits.take(client, now_ms)


class Simulation:
    """Sessions are kept by place; `sid` of a place changes with each session that begins there."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.draw = random.Random(options.seed)
        self.figures = Figures()
        self.cluster = Cluster(options.nodes)
        self.edges = [Edge(options) for _ in range(options.edges)]
        zeroes = bytes(4 * options.sessions)
        self.sid, self.node, self.edge, self.ends_s, self.left = (array("i", zeroes) for _ in range(5))
        self.next_s = array("i", zeroes)  # when it acts; an older plan is void
        self.counted = array("i", zeroes)  # epoch of the edge host whose count of open sessions has this one
        self.home = array("i", zeroes)  # that edge host
        self.due: dict[int, list[int]] = defaultdict(list)
        self.last_sid = self.now_ms = 0

    def run(self) -> Figures:
        """All sessions are there at once, of any age; then time passes."""
        for place in range(self.options.sessions):
            self.begin(place, 0)
        self.figures = Figures()
        for now_s in range(1, self.options.seconds + 1):
            self.churn(now_s)
            due = self.due.pop(now_s, [])
            for number, place in enumerate(due):
                self.now_ms = 1000 * now_s + 1000 * number // len(due)
                self.flood()
                if self.next_s[place] == now_s:
                    self.act(place, now_s)
        return self.measured()

    def begin(self, place: int, now_s: int) -> None:
        """A handshake: a node is chosen, the edge host learns its answer."""
        options, draw = self.options, self.draw
        self.last_sid += 1
        self.sid[place] = self.last_sid
        self.edge[place] = self.home[place] = draw.randrange(options.edges)
        self.ends_s[place] = now_s + 1 + int(draw.expovariate(1 / options.life_s))
        edge = self.edges[self.edge[place]]
        node = self.node[place] = self.first_choice(edge, self.sid[place])
        self.counted[place] = edge.epoch
        edge.opened[node] += 1
        self.figures.begun += 1
        self.figures.displaced += edge.table.learn(self.last_sid, node, now_s, LIFETIME_S)
        is_polling = draw.random() < options.polling
        self.left[place] = -1 if is_polling else UPGRADE_REQUESTS
        started_s = draw.randrange(options.poll_s) if is_polling and not now_s else 0
        self.plan(place, now_s + 1 + started_s)

    def first_choice(self, edge: Edge, key: int) -> int:
        if self.options.has_key:
            return self.cluster.on_the_ring(key)
        return least_loaded(self.cluster.open, edge.opened, self.draw)

    def plan(self, place: int, when_s: int) -> None:
        self.next_s[place] = when_s = min(when_s, self.ends_s[place])
        self.due[when_s].append(place)

    def act(self, place: int, now_s: int) -> None:
        """The next request of a session, or its end and the beginning of the next one."""
        if now_s >= self.ends_s[place]:
            return self.end(place, now_s)
        if self.left[place] == 0:
            return self.plan(place, self.ends_s[place])  # upgraded: all of it is one connection
        if not self.request(place, now_s):
            return self.end(place, now_s)
        if self.left[place] > 0:
            self.left[place] -= 1
        self.plan(place, now_s + (self.options.poll_s if self.left[place] < 0 else 1))

    def request(self, place: int, now_s: int) -> bool:
        """Whether it was served."""
        if self.options.moves and self.draw.random() < self.options.moves:
            self.edge[place] = self.draw.randrange(self.options.edges)
        edge = self.edges[self.edge[place]]
        self.figures.requests += 1
        if edge.table.find(self.sid[place], now_s, LIFETIME_S) is not None:
            self.figures.hits += 1
            return True
        return self.ask(edge, place, now_s)

    def ask(self, edge: Edge, place: int, now_s: int) -> bool:
        """Ask one node after the other for the session; learn who knows it."""
        sid, node, figures, key = self.sid[place], self.node[place], self.figures, mixed(self.sid[place], 4)
        is_known_as_unknown = edge.unknown.has(key, self.now_ms)
        charge = -1 if is_known_as_unknown else edge.take(mixed(place, 5) & 0xFFFFFFFF, self.now_ms)
        lives = node in self.cluster.open or node in self.cluster.draining
        if charge < 0:
            if lives:
                figures.lost["not asked for"] += 1
            return False
        asked = self.asked_until(node, sid)
        if not lives:
            figures.searched_in_vain += 1
            figures.asked_in_vain += asked
            edge.unknown.add(key, self.now_ms)
            return False
        figures.asked += asked
        figures.found += 1
        silent_ms = SETTLED_MS if self.left[place] < 0 else 0
        heapq.heappush(edge.charged, (self.now_ms + asked * ROUND_TRIP_MS + silent_ms, charge))
        figures.displaced += edge.table.learn(sid, node, now_s, LIFETIME_S)
        return True

    def asked_until(self, node: int, key: int) -> int:
        """How many nodes are asked until this one answers, or all."""
        hosts = self.cluster.hosts
        if not self.options.has_key:  # the balancer's choice has nothing to go by; then in turn
            start = self.draw.randrange(len(hosts))
            return (hosts.index(node) - start) % len(hosts) + 1 if node in hosts else len(hosts)
        first = self.cluster.on_the_ring(key)
        if node == first:
            return 1
        rest = [each for each in hosts if each != first]
        return 2 + rest.index(node) if node in rest else len(hosts)

    def end(self, place: int, now_s: int) -> None:
        edge, node = self.edges[self.home[place]], self.node[place]
        if self.counted[place] == edge.epoch:
            edge.opened[node] -= 1
        self.begin(place, now_s)

    def churn(self, now_s: int) -> None:
        """Nodes join, drain and leave; edge hosts restart."""
        options, cluster = self.options, self.cluster
        drained_s = now_s - options.drain_s
        if drained_s > 0 and drained_s % options.node_every_s == 0:
            self.node_leaves(cluster.draining[0], now_s)
        if now_s % options.node_every_s == 0:
            cluster.drain(self.draw.choice(cluster.open))
            cluster.join()
        if now_s % options.edge_every_s == 0:
            self.edge_restarts(self.draw.randrange(options.edges), now_s)

    def node_leaves(self, node: int, now_s: int) -> None:
        """Its tunnels end at once; its polling clients learn it with their next request."""
        self.cluster.leave(node)
        self.figures.ended_with_node += self.node.count(node)
        self.end_tunnels(lambda place: self.node[place] == node, now_s)

    def edge_restarts(self, number: int, now_s: int) -> None:
        self.edges[number].restart()
        self.end_tunnels(lambda place: self.edge[place] == number, now_s)

    def end_tunnels(self, is_hit: Callable[[int], bool], now_s: int) -> None:
        for place in range(self.options.sessions):
            if self.left[place] == 0 and is_hit(place):
                self.ends_s[place] = now_s
                self.plan(place, now_s)

    def flood(self) -> None:
        """Made-up ids of a plausible form until now, each one new, of each address in turn."""
        figures, options = self.figures, self.options
        while figures.flood_ids < options.flood_per_s * self.now_ms // 1000:
            figures.flood_ids += 1
            now_ms = min(1000 * figures.flood_ids // options.flood_per_s, self.now_ms)
            if self.edges[0].take(FLOODING + figures.flood_ids % options.flood_from, now_ms) >= 0:
                figures.flood_asked += len(self.cluster.hosts)

    def measured(self) -> Figures:
        figures, options, seconds = self.figures, self.options, self.options.seconds
        figures.live = sum(edge.table.live(seconds) for edge in self.edges) // len(self.edges)
        figures.memory_bytes = max(edge.table.memory_bytes() for edge in self.edges)
        old = [node for node in self.cluster.open if node < options.nodes]  # a new one fills as sessions end
        counts = [self.node.count(node) for node in old]
        mean = sum(counts) / len(counts)
        figures.spread = (min(counts) / mean, max(counts) / mean)
        return figures


ROWS = {
    "each client keeps to one edge host, no key": Options(),
    "one request in 20 goes to another one, no key": Options(moves=0.05),
    "one request in 20, with a hash policy": Options(moves=0.05, has_key=True),
    "every request goes to any edge host, no key": Options(moves=1.0),
    "every request, with a hash policy": Options(moves=1.0, has_key=True),
    "one request in 20, 1,000 made-up ids a second": Options(moves=0.05, flood_per_s=1000),
    "one request in 20, these from 50 addresses": Options(moves=0.05, flood_per_s=1000, flood_from=50),
}


def row(name: str, figures: Figures) -> str:
    per_session = (figures.asked + figures.asked_in_vain) / figures.begun
    per_found = figures.asked / max(1, figures.found)
    flood = f"{figures.flood_asked / figures.flood_ids:.2f}" if figures.flood_ids else "-"
    lost = sum(figures.lost.values())
    cells = [
        name,
        f"{figures.hits / figures.requests:.1%}",
        f"{per_found:.1f}",
        f"{per_session:.2f}",
        f"{lost:,}",
        f"{figures.live:,}",
        f"{figures.memory_bytes / 2**20:.1f} MiB",
        f"{figures.spread[0]:.2f} to {figures.spread[1]:.2f}",
        flood,
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("sessions", "nodes", "edges", "seconds", "slots"):
        parser.add_argument(f"--{name}", type=int, default=getattr(Options, name))
    parser.add_argument("--rows", default="0123456789", help="the rows of these numbers: 045")
    chosen = vars(parser.parse_args())
    wanted = chosen.pop("rows")
    print("| clients | table hits | asked per search | asked per session | lost | entries | memory | spread | flood |")
    print("|-|-|-|-|-|-|-|-|-|")
    for number, (name, options) in enumerate(ROWS.items()):
        if str(number) in wanted:
            print(row(name, Simulation(replace(options, **chosen)).run()), flush=True)


if __name__ == "__main__":
    main()
