"""python-socketio's own client, with an ear at its two ways to the network.

The library keeps two things to itself that a load test must know: how long the upgrade took, and that a request for
its session was refused (it stays on polling, or tries again, without a word).
"""

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any, Protocol
from weakref import WeakSet

import requests
import socketio
import websocket
from urllib3.connection import HTTPConnection

from loadtest import losses
from loadtest.hosts import Hosts

UPGRADE_PACKET = "5"  # Engine.IO protocol 4: the client has made the WebSocket its transport


class Observer(Protocol):
    def on_refused(self, status: int, body: bytes, is_poll: bool) -> None:
        """A request that named a session was answered with an error. The session is over if it was a poll."""

    def on_failed(self, error: Exception) -> None:
        """A poll that named a session was not answered: the session is over."""

    def on_elsewhere(self) -> None:
        """An address refused a connection; the request goes to another one."""

    def on_upgraded(self, seconds: float) -> None:
        """The client has moved from polling to a WebSocket."""

    def on_connection(self, port: int, *, is_web_socket: bool) -> None:
        """A connection was opened from that local port; told again when it has become a WebSocket."""


class ObservedHttp(requests.Session):
    """The polls of one client. `hang_up` ends a poll that waits, which requests has no way to do."""

    def __init__(self, observer: Observer, hosts: Hosts) -> None:
        super().__init__()
        self.trust_env = False  # no proxy of the environment between the test and what it tests
        self._observer = observer
        self._hosts = hosts
        self._is_gone = False
        self._opened: WeakSet[HTTPConnection] = WeakSet()
        for adapter in self.adapters.values():
            remember_connections(adapter, self._opened, observer)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        if self._is_gone:
            raise requests.ConnectionError("hung up")
        try:
            response = self._request(method, self._hosts.next_for(url), *args, **kwargs)
        except requests.RequestException as error:
            if "sid=" in url and not self._is_gone:
                self._observer.on_failed(error)
            raise
        if response.status_code >= 400 and "sid=" in url:
            self._observer.on_refused(response.status_code, response.content, is_poll=True)
        return response

    def _request(self, method: str, url: str, *args: Any, **kwargs: Any) -> requests.Response:
        """At the first address that does not refuse the connection."""
        for _ in self._hosts.urls[1:]:
            try:
                return super().request(method, url, *args, **kwargs)
            except requests.ConnectionError as error:
                if losses.of_error(error) != losses.REFUSED:
                    raise
            self._hosts.leave(url)
            self._observer.on_elsewhere()
            url = self._hosts.placed(url)
        return super().request(method, url, *args, **kwargs)

    def hang_up(self) -> None:
        self._is_gone = True
        for connection in list(self._opened):
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)
        self.close()


def remember_connections(adapter: Any, opened: WeakSet[HTTPConnection], observer: Observer) -> None:
    """Have the adapter put every connection that it opens into that set, and tell the observer of it."""

    def remembering(pool_class: Any) -> Any:
        class Connection(pool_class.ConnectionCls):  # type: ignore[misc]
            def connect(self) -> None:
                super().connect()
                opened.add(self)
                observer.on_connection(self.sock.getsockname()[1], is_web_socket=False)

        return type(pool_class.__name__, (pool_class,), {"ConnectionCls": Connection})

    manager = adapter.poolmanager
    classes = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: remembering(each) for scheme, each in classes.items()}


class ObservedWebSocket(websocket.WebSocket):
    """The WebSocket of one client."""

    def __init__(self, *args: Any, observer: Observer, hosts: Hosts, **kwargs: Any) -> None:
        self._observer = observer
        self._hosts = hosts
        self._began = 0.0
        self._socket: socket.socket | None = None
        super().__init__(*args, **kwargs)

    @property
    def sock(self) -> socket.socket | None:
        """The library's own name. What it connects is told at once: the socket of a handshake that fails it forgets."""
        return self._socket

    @sock.setter
    def sock(self, connected: socket.socket | None) -> None:
        self._socket = connected
        if connected is not None:
            self._observer.on_connection(connected.getsockname()[1], is_web_socket=False)

    def connect(self, url: str, **options: Any) -> None:
        self._began = time.perf_counter()
        try:
            self._connect(self._hosts.next_for(url), **options)
            if self.sock is not None:
                self._observer.on_connection(self.sock.getsockname()[1], is_web_socket=True)
        except websocket.WebSocketBadStatusException as error:
            if "sid=" in url:
                self._observer.on_refused(error.status_code, error.resp_body or b"", is_poll=False)
            raise

    def _connect(self, url: str, **options: Any) -> None:
        """At the first address that does not refuse the connection."""
        for _ in self._hosts.urls[1:]:
            with contextlib.suppress(ConnectionRefusedError):
                return super().connect(url, **options)  # type: ignore[no-untyped-call,no-any-return]
            self._hosts.leave(url)
            self._observer.on_elsewhere()
            url = self._hosts.placed(url)
        super().connect(url, **options)  # type: ignore[no-untyped-call]

    def send(self, payload: bytes | str, *args: Any) -> int:
        sent: int = super().send(payload, *args)
        if payload == UPGRADE_PACKET:
            self._observer.on_upgraded(time.perf_counter() - self._began)
        return sent

    def close(
        self, status: int = websocket.STATUS_NORMAL, reason: str | bytes = b"", timeout: float | None = None
    ) -> None:
        """Without waiting for the answer: the library swallows everything in that wait, Locust's own stop included."""
        super().close(status, reason, timeout=0)


class Client:
    """One client of one session. It does not reconnect by itself: the load test does, and takes the time."""

    def __init__(self, observer: Observer, hosts: Hosts, timeout_s: float) -> None:
        self._http = ObservedHttp(observer, hosts)
        self._hosts = hosts
        self._timeout_s = timeout_s
        options = {"class_": ObservedWebSocket, "observer": observer, "hosts": hosts, "http_no_proxy": ["*"]}
        self.io = socketio.Client(
            reconnection=False,
            handle_sigint=False,
            request_timeout=timeout_s,
            http_session=self._http,
            websocket_extra_options=options,
        )

    @property
    def transport(self) -> str:
        return str(self.io.transport())

    def connect(self, headers: Mapping[str, str], transports: tuple[str, ...]) -> None:
        """Return when the transport is there; "connect" is what the library calls when the session is."""
        self.io.connect(self._hosts.url, headers=dict(headers), transports=list(transports), wait=False)

    def drop(self) -> None:
        """Be gone without a word, as on a lost network."""
        web_socket = self.io.eio.ws
        if self.transport == "websocket" and web_socket is not None:
            web_socket.shutdown()
        self.abandon()

    def leave(self) -> None:
        """Say goodbye. On polling the library would wait for the end of a poll that nobody answers any more."""
        writer = self.io.eio.write_loop_task
        if self.transport == "polling" and writer is not None:
            threading.Thread(target=self._hang_up_after, args=(writer,), daemon=True).start()
        if self.io.connected:
            self.io.disconnect()
        self._http.hang_up()

    def abandon(self) -> None:
        """End it without waiting for anything."""
        self._http.hang_up()
        self.io.eio.disconnect(abort=True)
        self.io.eio.queue.put(None)  # the library has taken back what was to end its writer

    def _hang_up_after(self, writer: threading.Thread) -> None:
        writer.join(self._timeout_s)
        self._http.hang_up()
