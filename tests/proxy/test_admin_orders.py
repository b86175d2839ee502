"""What the admin has the server do: by POST, and not for a page of another site."""

import http.client
from contextlib import closing

from tests.support.proxies import World, Worlds


def post(world: World, path: str, **headers: str) -> tuple[int, str]:
    """Status and body."""
    with closing(http.client.HTTPConnection("127.0.0.1", world.proxy.admin_port, timeout=30)) as connection:
        connection.request("POST", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def test_a_get_changes_nothing(world: World) -> None:
    assert world.proxy.admin("/quitquitquit") == (405, "Method GET not allowed, POST required.")
    assert world.proxy.is_ready()


def test_logs_are_opened_again(world: World) -> None:
    assert post(world, "/reopen_logs") == (200, "OK\n")


def test_the_server_ends(worlds: Worlds) -> None:
    world = worlds.start()
    worlds.live.remove(world)
    assert post(world, "/quitquitquit") == (200, "OK\n")
    assert world.proxy.process.wait() == 0
