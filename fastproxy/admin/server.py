"""The admin's HTTP server: aiohttp in the supervisor's loop, on a socket that was bound before."""

import logging
import socket
import time

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from fastproxy.admin.access_log import AccessLog, Entry
from fastproxy.admin.commands import answer
from fastproxy.errors import FastproxyError
from fastproxy.status import Status

log = logging.getLogger("fastproxy.admin")


def _is_ours(record: logging.LogRecord) -> bool:
    """aiohttp tells of each request that is no HTTP, with a traceback: anybody could fill the log with those."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


log.addFilter(_is_ours)


class AdminServer:
    """Serves until closed. A path that changes nothing answers every method, as with Envoy."""

    def __init__(self, status: Status, access_log: AccessLog) -> None:
        self._status = status
        self._access_log = access_log
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None, logger=log), shutdown_timeout=0.1)

    async def start(self, listening: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def close(self) -> None:
        await self._runner.cleanup()
        self._access_log.close()

    def reopen_log(self) -> None:
        try:
            self._access_log.reopen()
        except FastproxyError as error:
            log.error("%s", error)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        began, clock = time.time(), time.monotonic()
        reply = answer(self._status, request.path, request.query, request.method, request.headers)
        body = reply.text.encode()
        response = web.Response(body=body, status=reply.status, headers=reply.headers)
        headers = request.headers
        self._access_log.write(
            Entry(
                started_at=began,
                method=request.method,
                path=request.path_qs,
                status=response.status,
                bytes_received=request.content_length or 0,
                bytes_sent=0 if request.method == "HEAD" else len(body),
                duration_s=time.monotonic() - clock,
                forwarded_for=headers.get("X-Forwarded-For", ""),
                user_agent=headers.get("User-Agent", ""),
                request_id=headers.get("X-Request-Id", ""),
                authority=headers.get("Host", ""),
            )
        )
        return response
