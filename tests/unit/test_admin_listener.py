"""The admin's socket, log and server, from the start to the end."""

import asyncio
import socket

import pytest

from fastproxy.admin.listener import AdminListener
from fastproxy.errors import FastproxyError
from fastproxy.model import Address, Admin
from tests.unit.admin_status import Server
from tests.unit.test_admin_server import request

ANYWHERE = Address("127.0.0.1", 0)


def refuses(address: Address) -> bool:
    with socket.socket() as client:
        return client.connect_ex((address.host, address.port)) != 0


def test_it_is_bound_at_once_and_answers_when_it_serves(tmp_path):
    log = tmp_path / "admin.log"
    admin = AdminListener(Admin(ANYWHERE, str(log)), "f")
    address = admin.address
    assert address.port
    admin.reopen_log()

    async def serve_one() -> int:
        await admin.serve(Server().status)
        status, _, _ = await asyncio.to_thread(request, address.port, "GET", "/ready", {})
        log.rename(tmp_path / "old.log")
        admin.reopen_log()
        await asyncio.to_thread(request, address.port, "GET", "/help", {})
        await admin.close()
        return status

    assert asyncio.run(serve_one()) == 200
    assert "/ready" in (tmp_path / "old.log").read_text()
    assert "/help" in log.read_text()
    assert refuses(address)


def test_one_that_never_served_can_be_closed():
    admin = AdminListener(Admin(ANYWHERE), "f")
    address = admin.address
    asyncio.run(admin.close())
    assert refuses(address)


def test_a_log_that_cannot_be_opened_is_the_files_mistake():
    with pytest.raises(FastproxyError, match="f: admin: access log '/dev/null/x'"):
        AdminListener(Admin(ANYWHERE, "/dev/null/x"), "f")


def test_a_port_that_is_taken_leaves_nothing_open(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address(*taken.getsockname())
        with pytest.raises(FastproxyError, match="address already in use"):
            AdminListener(Admin(address), "f")
