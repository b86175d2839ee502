"""Sessions of python-socketio clients go on while the configuration changes under them, the cluster's size included."""

import asyncio
import json
import signal
from pathlib import Path

import pytest

from tests.e2e.sessions import KINDS, Session, for_all, opened
from tests.e2e.stack import Stack
from tests.support import proxies
from tests.support.processes import wait_until

CLIENTS = 24

pytestmark = pytest.mark.departure("Envoy does not read its file again")


def file_of(stack: Stack) -> Path:
    return Path(stack.proxy.argv[stack.proxy.argv.index("-c") + 1])


def reload(stack: Stack, configuration: proxies.Json, number: int) -> None:
    file_of(stack).write_text(json.dumps(configuration, indent=1))
    stack.proxy.send_signal(signal.SIGHUP)
    wait_until(
        lambda: f"configuration {number} is in use" in stack.proxy.output,
        lambda: f"the reload succeeds: {stack.proxy.output}",
    )


def with_hosts(configuration: proxies.Json, count: int, **fields: object) -> proxies.Json:
    """The configuration with only so many of its nodes."""
    changed: proxies.Json = json.loads(json.dumps(configuration))
    for cluster in changed["cluster_manager"]["clusters"]:
        cluster["hosts"] = cluster["hosts"][:count]
        cluster.update(fields)
    return changed


def test_sessions_go_on_over_reloads_and_a_scaled_cluster(own_ring: Stack) -> None:
    whole = json.loads(file_of(own_ring).read_text())
    workers = own_ring.proxy.children()
    # two nodes, then three: the ring moves keys, no session may follow; then another cluster altogether, same hosts
    steps = [with_hosts(whole, 3), with_hosts(whole, 3, connect_timeout_ms=900), whole]

    async def live() -> None:
        sessions = [
            Session(KINDS[number % len(KINDS)], referer=f"http://localhost/?client_id=user-{number}")
            for number in range(CLIENTS)
        ]
        async with opened(own_ring.url, sessions):
            for number, step in enumerate(steps, 3):
                await asyncio.gather(for_all(sessions, Session.talk), asyncio.to_thread(reload, own_ring, step, number))
                await for_all(sessions, Session.talk)
            for session in sessions:
                assert session.transport == session.kind.ends_with
                assert session.disconnects == []
                assert len(session.sids) == 1
                assert session.node in own_ring.node_names()

    reload(own_ring, with_hosts(whole, 2), 2)
    asyncio.run(live())
    assert own_ring.proxy.children() == workers
