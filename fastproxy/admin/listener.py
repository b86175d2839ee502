"""Where the admin is reached: a socket and an access log from before the first fork on, a server behind it.

aiohttp is imported with the server only: workers need neither its memory nor its import time.
"""

import socket
from typing import TYPE_CHECKING

from fastproxy import listeners
from fastproxy.admin.access_log import AccessLog
from fastproxy.errors import FastproxyError
from fastproxy.model import Address, Admin
from fastproxy.status import Status

if TYPE_CHECKING:
    from fastproxy.admin.server import AdminServer


class AdminListener:
    """Open at once; FastproxyError when it cannot be. `file` is the configuration that asks for it."""

    def __init__(self, admin: Admin, file: str) -> None:
        self._log = AccessLog(admin.access_log_path, file)
        try:
            self._socket: socket.socket = listeners.open_admin(admin.address, file)
        except FastproxyError:
            self._log.close()
            raise
        self._server: AdminServer | None = None

    @property
    def address(self) -> Address:
        """Where it really is: the file may ask for any port."""
        return listeners.bound_address(self._socket)

    async def serve(self, status: Status) -> None:
        """Answer from now on. Only behind the forks."""
        from fastproxy.admin.server import AdminServer

        self._server = AdminServer(status, self._log)
        await self._server.start(self._socket)

    def reopen_log(self) -> None:
        if self._server is not None:
            self._server.reopen_log()

    async def close(self) -> None:
        """Give back what was opened."""
        if self._server is not None:
            await self._server.close()
        else:
            self.close_unserved()

    def close_unserved(self) -> None:
        """The same for one that never served, where no loop runs."""
        self._socket.close()
        self._log.close()
