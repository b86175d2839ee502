"""The downstream's half: heads whole or cut, pipelining, bodies, what is refused."""

import pytest

from tests.unit.engine_world import get, ok


def test_keep_alive(world):
    client, node = world.ask(get("/1"))
    for number in (1, 2, 3):
        assert node.head().startswith(b"GET /%d " % number)
        node.send(ok(b"%d" % number))
        assert client.response() == (200, b"%d" % number)
        client.send(get(f"/{number + 1}"))
    assert node.head().startswith(b"GET /4 ")
    node.send(ok())
    assert client.response() == (200, b"hello")
    assert world.count("downstream_cx_total") == world.count("upstream_cx_total") == 1


def test_pipelined_requests_are_answered_in_order(world):
    client, node = world.ask(b"".join(get(f"/{number}") for number in range(5)))
    for number in range(5):
        assert node.head().startswith(b"GET /%d " % number)
        world.settle()
        node.read()
        assert node.got == b"", "the next one waits for its turn"
        node.send(ok(b"%d" % number))
    assert [client.response() for _ in range(5)] == [(200, b"%d" % number) for number in range(5)]


def test_a_pipelined_request_behind_a_body(world):
    body = get("/1", "content-length: 5", method="POST") + b"12345"
    chunked = get("/2", "transfer-encoding: chunked", method="POST") + b"2\r\nab\r\n0\r\n\r\n"
    client, node = world.ask(body + chunked + get("/3"))
    assert node.head().startswith(b"POST /1 ")
    assert node.take(5) == b"12345"
    node.send(ok(b"1"))
    assert node.head().startswith(b"POST /2 ")
    assert node.take(12) == b"2\r\nab\r\n0\r\n\r\n"
    node.send(ok(b"2"))
    assert node.head().startswith(b"GET /3 ")
    node.send(ok(b"3"))
    assert [client.response()[1] for _ in range(3)] == [b"1", b"2", b"3"]


def test_blank_lines_before_a_request_are_passed_over(world):
    client, node = world.ask(b"\r\n\r\n" + get("/a"))
    assert node.head().startswith(b"GET /a ")
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_body_passes_as_it_comes(world):
    client, node = world.ask(get("/", "content-length: 10", method="POST"))
    node.head()
    for part in (b"ab", b"cdefg", b"hij"):
        client.send(part)
        assert node.take(len(part)) == part
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_a_chunked_body_passes_as_it_comes(world):
    client, node = world.ask(get("/", "transfer-encoding: chunked", method="POST"))
    assert b"\r\ntransfer-encoding: chunked\r\n" in node.head()
    client.send(b"3;x=y\r\nabc")
    assert node.take(8) == b"3\r\nabc\r\n"
    client.send(b"\r\n2\r\nde\r\n")
    assert node.take(7) == b"2\r\nde\r\n"
    client.send(b"0\r\nx-trailer: a\r\n\r\n")
    assert node.take(5) == b"0\r\n\r\n"
    node.send(ok())
    assert client.response() == (200, b"hello")


def test_expect_continue_is_answered_by_the_proxy(world):
    client, node = world.ask(get("/", "content-length: 2", "expect: 100-continue", method="POST"))
    assert b"\r\nexpect:" not in node.head()
    assert client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"ab")
    assert node.take(2) == b"ab"
    node.send(ok())
    assert client.response() == (200, b"hello")


@pytest.mark.parametrize("data", [b"zz\r\n", b"3\r\nabcd", b"fffffffffffffffff\r\n"])
def test_a_bad_chunk_ends_the_request_at_the_node_too(world, data):
    client, node = world.ask(get("/", "transfer-encoding: chunked", method="POST"))
    node.head()
    client.send(data)
    assert client.response() == (400, b"Bad Request")
    assert not node.end().endswith(b"0\r\n\r\n")


def test_a_bad_chunk_in_the_same_read_as_the_head(world):
    client = world.client().send(get("/", "transfer-encoding: chunked", method="POST") + b"zz\r\n")
    assert client.response() == (400, b"Bad Request")
    assert not world.nodes[0].is_asked()


def test_http_10(worlds):
    world = worlds(manager={"accept_http_10": True, "default_host_for_http_10": "old.example"})
    client, node = world.ask(b"GET /old HTTP/1.0\r\n\r\n")
    assert node.head().startswith(b"GET /old HTTP/1.1\r\nhost: old.example\r\n")
    node.send(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
    answer = client.end()
    assert answer.startswith(b"HTTP/1.0 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nab")
    assert b"chunked" not in answer


def test_a_known_sid_goes_to_its_node(worlds):
    """The node that issued a session answers for it, whoever's turn it is."""
    world = worlds(3)
    open_packet = b'0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}'
    client = world.client().send(get("/socket.io/?EIO=4&transport=polling"))
    world.until(lambda: any(node.is_asked() for node in world.nodes))
    (home,) = [node for node in world.nodes if node.is_asked()]
    node = home.accept()
    node.head()
    node.send(ok(open_packet))
    assert client.response() == (200, open_packet)
    for _ in range(4):
        client.send(get("/socket.io/?EIO=4&transport=polling&sid=abc"))
        node.head()
        node.send(ok())
        assert client.response() == (200, b"hello")
    assert world.count("sid_learned") == 1
    assert world.count("sid_known") == 4


def test_who_pipelines_what_the_proxy_answers_has_turns_like_others(worlds):
    """Between two turns of the one the other is served."""
    world = worlds(domains=("a.example",))
    many = world.client().send(get() * 2000)
    other = world.client().send(get())
    world.engine.pump()
    world.engine.pump()
    world.until(lambda: other.read() is None and b"404" in other.got)
    many.read()
    assert many.got.count(b"HTTP/1.1 404") < 2000
    world.until(lambda: many.read() is None and many.got.count(b"HTTP/1.1 404") == 2000)
    many.send(get())
    world.until(lambda: many.read() is None and many.got.count(b"HTTP/1.1 404") == 2001)


def test_a_body_in_the_middle_of_a_pipeline_does_not_stop_it(worlds):
    world = worlds(domains=("a.example",))
    post = get("/", "content-length: 3", method="POST") + b"abc"
    client = world.client().send(get() * 31 + post + get() * 40)
    world.until(lambda: (client.read() is None and client.ended) or client.got.count(b"HTTP/1.1 404") == 72)
