"""Sessions that begin as a WebSocket: what their first message tells."""

import pytest

from fastproxy.open_packets import first_frame
from tests.unit.engine_world import Peer, World, handshake, switching

SID = b"lv_VI97HAXpY6yYWAAAC"
PACKET = b'0{"sid":"%b","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}' % SID
FRAME = bytes([0x81, len(PACKET)]) + PACKET
LONG = PACKET[:-1] + b',"more":"%b"}' % (b"x" * 200)
LONG_FRAME = b"\x81\x7e" + len(LONG).to_bytes(2, "big") + LONG
PATH = "/socket.io/?EIO=4&transport=websocket"


@pytest.mark.parametrize("frame", [FRAME, LONG_FRAME, FRAME + b"\x81\x0240"])
def test_a_frame_that_is_whole(frame):
    assert first_frame(frame) == (SID, 45)


@pytest.mark.parametrize("frame", [FRAME, LONG_FRAME])
def test_a_frame_that_is_not_whole_yet(frame):
    assert {first_frame(frame[:length]) for length in range(len(frame))} == {"incomplete"}


@pytest.mark.parametrize(
    "frame",
    [
        b"\xc1" + FRAME[1:],  # compressed
        b"\x82" + FRAME[1:],  # binary
        b"\x01" + FRAME[1:],  # the first of several fragments
        b"\x81" + bytes([0x80 | len(PACKET)]) + b"mask" + PACKET,
        b"\x81\x7f" + bytes(8) + PACKET,  # too long
        b"\x81\x0240",
        b"\x81\x00\x81\x00",
        b"HTTP/1.1 200 OK",
        bytes([0x81, len(PACKET) - 1]) + PACKET[:-1],
    ],
)
def test_frames_that_open_nothing(frame):
    assert first_frame(frame) is None


def opened(world: World, *pieces: bytes) -> tuple[Peer, Peer]:
    """A tunnel through which the node sends these pieces, the first one right behind the 101."""
    client, node = world.ask(handshake(PATH))
    node.head()
    node.send(switching() + pieces[0])
    client.head()
    for piece in pieces[1:]:
        world.settle()
        node.send(piece)
    world.settle()
    assert client.take(len(b"".join(pieces))) == b"".join(pieces)
    return client, node


@pytest.mark.parametrize(
    "pieces",
    [
        (FRAME,),
        (b"", FRAME),
        (FRAME[:1], FRAME[1:]),
        (b"", FRAME[:70], FRAME[70:] + b"\x81\x0240"),
        tuple(bytes([byte]) for byte in FRAME),
    ],
)
def test_the_session_is_learned(worlds, pieces):
    world = worlds()
    opened(world, *pieces)
    assert (world.count("sid_learned"), world.count("sid_opened_websocket")) == (1, 1)
    assert sum(world.runtime.sessions.counts().values()) == 0  # it counts as a WebSocket


@pytest.mark.parametrize("pieces", [(b"\x81\x0240", FRAME), (b"\xc1" + FRAME[1:], FRAME), (b"", b"\x89\x00", FRAME)])
def test_only_the_first_message_is_looked_at(worlds, pieces):
    world = worlds()
    opened(world, *pieces)
    assert world.count("sid_learned") == 0


def test_a_tunnel_of_a_session_that_began_before_is_not_looked_into(worlds):
    world = worlds()
    client, node = world.ask(handshake(f"{PATH}&sid=abc"))
    node.head()
    node.send(switching() + FRAME)
    client.head()
    assert client.take(len(FRAME)) == FRAME
    assert world.count("sid_learned") == 0


def test_a_tunnel_that_ends_before_its_first_message(worlds):
    world = worlds()
    client, node = opened(world, FRAME[:20])
    node.close()
    client.close()
    world.until(lambda: world.engine.tunnels == 0)
    opened(world, b"", FRAME)
    assert world.count("sid_learned") == 1


def test_an_idle_timer_below_the_heartbeat_is_told_of(worlds, caplog):
    opened(worlds(manager={"stream_idle_timeout_s": 30.0}, route={"timeout_s": 1.0, "timeout_is_set": True}), FRAME)
    (told,) = [record.getMessage() for record in caplog.records if record.name == "fastproxy.affinity"]
    assert "stream_idle_timeout is 30 s" in told
