"""`python -m tests.e2e.mcp_nodes PORT...`: stateful MCP servers of the official SDK, a process for each port.

Each serves both of the protocol's transports: streamable HTTP at /mcp, SSE at /sse with /messages/.
"""

import os
import signal
import sys
from collections.abc import Sequence

import uvicorn
from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette

from echo.cluster import bind_all, die_with


def build_app() -> Starlette:
    server = MCPServer("node")
    words: list[str] = []

    @server.tool()
    def remember(word: str) -> str:
        """What this node has been told so far: the newest word last, the node's process first."""
        words.append(word)
        return " ".join([str(os.getpid()), *words])

    app = server.streamable_http_app()
    app.router.routes.extend(server.sse_app().routes)
    return app


def main(ports: Sequence[int]) -> None:
    parent = os.getpid()
    for bound in bind_all([("127.0.0.1", port) for port in ports]):
        if os.fork() == 0:
            die_with(parent)
            uvicorn.Server(uvicorn.Config(build_app(), log_level="warning", timeout_graceful_shutdown=0)).run([bound])
            os._exit(0)
    signal.sigwait({signal.SIGTERM})


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    main([int(port) for port in sys.argv[1:]])
