"""The admin over HTTP."""

import asyncio
import http.client

import pytest

from fastproxy.admin.access_log import AccessLog
from fastproxy.admin.server import AdminServer
from fastproxy.listeners import bound_address, open_admin
from fastproxy.model import Address
from tests.unit.admin_status import Server


def request(port: int, method: str, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


@pytest.fixture
def ask(tmp_path):
    """`ask(method, path, **headers)` to a server that lives as long as the question."""

    async def once(method: str, path: str, headers: dict[str, str]):
        listening = open_admin(Address("127.0.0.1", 0), "f")
        admin = AdminServer(Server().status, AccessLog(str(tmp_path / "admin.log"), "f"))
        await admin.start(listening)
        try:
            return await asyncio.to_thread(request, bound_address(listening).port, method, path, headers)
        finally:
            await admin.close()

    return lambda method, path, **headers: asyncio.run(once(method, path, headers))


def test_ready(ask):
    status, headers, body = ask("GET", "/ready")
    assert (status, body) == (200, "LIVE\n")
    assert headers["content-type"] == "text/plain; charset=UTF-8"
    assert headers["cache-control"] == "no-cache, max-age=0"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["server"] == "envoy"


@pytest.mark.parametrize(("method", "body"), [("POST", "LIVE\n"), ("HEAD", "")])
def test_other_methods(ask, method, body):
    status, _, got = ask(method, "/ready")
    assert (status, got) == (200, body)


def test_parameters_reach_the_command(ask):
    _, _, body = ask("GET", "/stats?filter=%5Eserver%5C.live%24&usedonly")
    assert body == "server.live: 1\n"


def test_an_unknown_path(ask):
    status, _, body = ask("GET", "/nosuch")
    assert status == 404
    assert body.startswith("invalid path. admin commands are:\n")


def test_each_request_is_logged(ask, tmp_path):
    ask("GET", "/nosuch?a=b")
    assert '"GET /nosuch?a=b HTTP/1.1" 404 - 0 ' in (tmp_path / "admin.log").read_text()


def test_what_a_page_of_another_site_asks(ask):
    """Refused where it changes something or the name could be the page's own; never an answer that it may read."""
    for status, method, path, headers in [
        (403, "POST", "/quitquitquit", {"Origin": "https://evil.example"}),
        (405, "GET", "/quitquitquit", {}),
        (403, "GET", "/stats", {"Host": "evil.example", "User-Agent": "Mozilla/5.0"}),
        (200, "GET", "/stats", {"Origin": "https://evil.example"}),
    ]:
        got, answered, _ = ask(method, path, **headers)
        assert got == status
        assert not [name for name in answered if name.startswith("access-control")]
        assert answered["x-content-type-options"] == "nosniff"


def test_what_is_no_http_is_refused_and_not_told(ask, caplog, monkeypatch):
    """Anybody who reaches the admin could else fill the log."""
    monkeypatch.setattr(http.client.HTTPConnection, "_http_vsn_str", "HTTP/1.x")
    assert ask("GET", "/ready")[0] == 400
    assert not caplog.records
