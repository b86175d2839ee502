"""`/ready` against Envoy's recorded answers."""

import pytest

from fastproxy.admin.ready import ready
from fastproxy.status import ServerState
from tests.unit.admin_status import Server


@pytest.mark.parametrize(
    ("state", "code", "file"),
    [(ServerState.LIVE, 200, "ready.txt"), (ServerState.DRAINING, 503, "hcfail_ready.txt")],
)
def test_as_envoy(golden, state, code, file):
    server = Server()
    server.status.state = state
    reply = ready(server.status, {})
    assert (reply.status, reply.text) == (code, (golden / "admin" / file).read_text())


def test_a_server_that_still_starts_is_not_ready():
    server = Server()
    server.status.state = ServerState.INITIALIZING
    reply = ready(server.status, {})
    assert (reply.status, reply.text) == (503, "INITIALIZING\n")
