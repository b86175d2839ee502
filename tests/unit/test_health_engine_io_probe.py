"""Whether a host opens sessions, and that none is left there."""

import json

import pytest

from fastproxy.health.checks import Outcome
from fastproxy.health.client import Connection
from fastproxy.health.engine_io_probe import EngineIoProber, session_id
from fastproxy.model import EngineIoProbe, Host
from tests.unit.probed_nodes import answering, ok, with_node

OPENED = b'0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000}'


def found(*answers, **fields):
    async def work(node):
        prober = EngineIoProber(EngineIoProbe(**fields), "nodes", Host(node.address), Connection(node.address))
        finding = await prober.ask()
        prober.close()
        return finding, node

    return with_node(answering(*answers), work)


def test_a_session_is_opened_and_closed():
    finding, node = found(ok(OPENED), ok(b"ok"))
    assert finding.outcome is Outcome.SUCCESS
    opening, closing = node.requests
    assert opening.startswith(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nhost: nodes\r\n")
    assert closing.startswith(b"POST /socket.io/?EIO=4&transport=polling&sid=lv_VI97HAXpY6yYWAAAC HTTP/1.1\r\n")
    assert closing.endswith(b"\r\n\r\n1")


def test_revision_3():
    finding, node = found(ok(b"%d:%b2:40" % (len(OPENED), OPENED)), ok(b"ok"), protocol=3, path="/live/")
    assert finding.outcome is Outcome.SUCCESS
    assert node.requests[0].startswith(b"GET /live/?EIO=3&transport=polling&b64=1 ")
    assert node.requests[1].endswith(b"\r\n\r\n1:1")


def test_what_the_host_says_to_the_end_is_its_business():
    assert found(ok(OPENED), ok(status=b"400 Bad Request"))[0].outcome is Outcome.SUCCESS


@pytest.mark.parametrize(
    ("answer", "reason"), [(ok(b"page"), "the answer is no open packet"), (ok(OPENED, status=b"503 x"), "status 503")]
)
def test_no_session(answer, reason):
    finding, node = found(answer)
    assert (finding.outcome, finding.reason, len(node.requests)) == (Outcome.FAILURE, reason, 1)


def test_no_answer():
    assert found(b"")[0].outcome is Outcome.NETWORK


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"1", b"0", b"0[]", b'0{"sid":7}', b'0{"sid":""}', b"0{", b'4{"sid":"a"}', b"96:", b"\xff" * 9),
        pytest.param(b'0{"sid":"\\ud800"}', id="half a surrogate pair"),
        pytest.param(b"0" + b"[" * 60000, id="deep"),
        pytest.param(b'0{"sid":' + b"1" * 5000 + b"}", id="a long number"),
    ],
)
def test_no_open_packet(body):
    assert session_id(body) is None


def test_an_id_is_a_text_of_any_kind():
    assert session_id(b"0" + json.dumps({"sid": "a b\u00e9"}).encode()) == "a b\u00e9"
