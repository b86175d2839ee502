"""The hosts of a world as they are asked, one after the other, for a session id that the table does not know."""

from tests.unit.engine_world import Node, Peer, World
from tests.unit.lost_answers import UNKNOWN_400

POLL = "/socket.io/?EIO=4&transport=polling&sid=nobodys"
UPGRADE = "/socket.io/?EIO=4&transport=websocket&sid=nobodys"
COUNTERS = ("sid_asked", "sid_asked_rq", "sid_found", "sid_lost_unknown")


def counters(world: World) -> tuple[int, ...]:
    return tuple(world.count(name) for name in COUNTERS)


class Asked:
    """The nodes of a world as they are asked one after the other."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.kept: dict[Node, Peer] = {}
        self.order: list[Node] = []
        self.heads: list[bytes] = []

    def next(self) -> Peer:
        """The connection on which the next host is asked, its head read."""
        found: list[tuple[Node, Peer]] = []

        def look() -> bool:
            for node in self.world.nodes:
                if node.listener.fileno() >= 0 and node.is_asked():
                    found.append((node, node.accept()))
                elif node in self.kept:
                    self.kept[node].read()
                    if self.kept[node].got:
                        found.append((node, self.kept[node]))
            return bool(found)

        self.world.until(look)
        ((node, peer),) = found
        self.order.append(node)
        self.kept[node] = peer
        self.heads.append(peer.head())
        return peer

    def all_decline(self, said: bytes = UNKNOWN_400) -> None:
        for _ in self.world.nodes:
            self.next().send(said)
