"""What an echo node answers, asked by a real client, and the pages it serves."""

import asyncio
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import socketio

from echo import app
from tests.support import processes


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[processes.Process]:
    port = processes.free_port()
    output = tmp_path_factory.mktemp("node") / "output.txt"
    command = [sys.executable, "-m", "echo", "--addr", f"127.0.0.1:{port}"]
    running = processes.start(command, output_path=output, ports=[port])
    yield running
    running.end()


@pytest.fixture
def url(node: processes.Process) -> str:
    return node.output.split()[2].rstrip("/")


@pytest.fixture
def name(node: processes.Process) -> str:
    return f"node#{node.pid}"


class Client:
    """A connected client, and everything it hears as (event, arguments)."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[str, tuple[Any, ...]]] = asyncio.Queue()
        self._client = socketio.AsyncClient(reconnection=False)
        self._client.on("*", self._hear)

    async def _hear(self, event: str, *arguments: object) -> None:
        await self.heard.put((event, arguments))

    async def next(self) -> tuple[str, tuple[Any, ...]]:
        return await asyncio.wait_for(self.heard.get(), 30)

    async def call(self, event: str, *arguments: object) -> object:
        return await self._client.call(event, arguments, timeout=30)

    async def emit(self, event: str, *arguments: object) -> None:
        await self._client.emit(event, arguments)

    async def __aenter__(self) -> "Client":
        return self

    async def connect(self, url: str) -> "Client":
        await self._client.connect(url, transports=["websocket"])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.disconnect()


def talk(url, script):
    """Run `script(client)` on a client that has been welcome."""

    async def run() -> None:
        async with Client() as client:
            await client.connect(url)
            assert (await client.next())[1][0].endswith(": welcome")
            await script(client)

    asyncio.run(run())


def test_a_new_client_is_welcome(url, name):
    async def run() -> None:
        async with Client() as client:
            await client.connect(url)
            assert await client.next() == ("message", (f"{name}: welcome",))

    asyncio.run(run())


def test_text_comes_back(url, name):
    async def script(client: Client) -> None:
        await client.emit("message", "hello")
        assert await client.next() == ("message", (f"{name}: hello",))

    talk(url, script)


def test_an_ack_is_the_reply(url, name):
    async def script(client: Client) -> None:
        assert await client.call("message", "hello") == f"{name}: hello"
        assert await client.next() == ("message", (f"{name}: hello",))

    talk(url, script)


def test_binary_comes_back_as_binary(url, name):
    async def script(client: Client) -> None:
        reply = f"{name}: ".encode() + b"\0\xff"
        assert await client.call("message", b"\0\xff") == reply
        assert await client.next() == ("message", (reply,))

    talk(url, script)


def test_anything_else_comes_back_as_json(url, name):
    async def script(client: Client) -> None:
        assert await client.call("message", {"a": [1, None]}) == f'{name}: {{"a": [1, null]}}'

    talk(url, script)


def test_latency_is_an_ack_alone(url, name):
    async def script(client: Client) -> None:
        assert await client.call("latency") == name
        assert client.heard.empty()

    talk(url, script)


def test_a_room_hears_what_is_said_in_it(url, name):
    async def script(inside: Client) -> None:
        async with Client() as outside:
            await outside.connect(url)
            await outside.next()
            assert await inside.call("join", "lobby") == f"{name}: joined lobby"
            assert await outside.call("room", "lobby", "hello") == f"{name}: hello"
            assert await inside.next() == ("room", ("lobby", f"{name}: hello"))
            assert await inside.call("leave", "lobby") == f"{name}: left lobby"
            await outside.call("room", "lobby", "again")
            await inside.call("latency")
            assert inside.heard.empty()
            assert outside.heard.empty()

    talk(url, script)


def get(url: str) -> tuple[str, bytes]:
    """Content type and body."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.headers["content-type"], answer.read()


@pytest.mark.parametrize("path", ["/", "/index.html", "/index2.html"])
def test_the_pages(url, path):
    content_type, body = get(url + path)
    assert content_type == "text/html"
    assert body == (app.STATIC / "index.html").read_bytes()


@pytest.mark.parametrize(("path", "content_type"), [("/echo.css", "text/css"), ("/echo.js", "application/javascript")])
def test_what_the_pages_need(url, path, content_type):
    assert get(url + path) == (content_type, (app.STATIC / path[1:]).read_bytes())


def test_the_client_library_is_the_one_of_npm(url):
    content_type, body = get(f"{url}/socket.io.min.js")
    assert content_type == "application/javascript"
    assert body == app.CLIENT_LIBRARY.read_bytes()
    assert body.lstrip().startswith(b"/*!\n * Socket.IO v4.")


@pytest.mark.parametrize("path", ["/app.py", "/static/", "/../app.py", "/echo.js/../../app.py"])
def test_nothing_else_is_served(url, path):
    with pytest.raises(urllib.error.HTTPError) as error:
        get(url + path)
    error.value.close()
    assert error.value.code == 404


def test_without_npm_there_is_no_library(monkeypatch, tmp_path):
    monkeypatch.setattr(app, "CLIENT_LIBRARY", tmp_path / "missing.js")
    assert "/socket.io.min.js" not in app.pages()
    assert "/index.html" in app.pages()


def test_every_reply_names_the_process():
    assert app.answer("x") == f"node#{os.getpid()}: x"
    assert app.answer(bytearray(b"x")) == f"node#{os.getpid()}: x".encode()


def test_the_library_keeps_its_defaults():
    """The heartbeat is part of what the proxy is tested with."""
    engine = app.build_server().eio
    assert (engine.ping_interval, engine.ping_timeout) == (25, 20)
    assert engine.cors_allowed_origins == "*"
