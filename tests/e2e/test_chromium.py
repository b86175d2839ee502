"""The echo pages in a real Chromium, which sends no Referer with a websocket handshake.

Screenshots are kept in build/screenshots/.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.stack import Stack, nodes_of
from tests.support import processes

SCREENSHOTS = processes.ROOT / "build" / "screenshots"
TEXT = "is anybody there?"
SPLIT = "Chromium's websocket handshake has no Referer, so it goes to a random node"
PHONE = {"width": 390, "height": 844}
Seen = dict[str, Any]

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def visit(tool, tmp_path: Path):
    """`visit(url, screenshot=name, ...)` is what a fresh Chromium saw there."""

    def run(url: str, screenshot: str, **wish: object) -> Seen:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        file = SCREENSHOTS / f"{screenshot}.png"
        file.unlink(missing_ok=True)
        where = {
            "url": url,
            "chromium": tool("chromium"),
            "profile": str(tmp_path / "profile"),
            "screenshot": str(file),
        }
        script = processes.ROOT / "tests" / "e2e" / "browser.mjs"
        command = [tool("node", "nodejs"), str(script), json.dumps({**where, "text": TEXT, **wish})]
        output = processes.run(command, output_path=tmp_path / "browser.txt", timeout_s=250)
        assert file.stat().st_size > 0
        return dict(json.loads(output.splitlines()[-1]))

    return run


def check(seen: Seen, stack: Stack, sessions: int = 1) -> None:
    """Welcomes and an echo of one and the same node, by websocket in the end, and nothing that looks wrong."""
    assert seen["state"] == "connected"
    assert seen["transport"] == "websocket"
    assert seen["replies"] == [f"{seen['node']}: welcome"] * sessions + [f"{seen['node']}: {TEXT}"]
    assert nodes_of(seen["replies"]) <= stack.node_names()
    assert re.fullmatch(r"\d+ replies, one node", seen["stickiness"])
    assert len(seen["websockets"]) == sessions
    assert seen["errors"] == []
    assert seen["notices"] == []
    assert not seen["overflows"]


def check_upgrade(seen: Seen) -> None:
    """Polling came first, and a websocket took over each session."""
    assert any("transport=polling" in url for url in seen["asked"])
    assert all("&sid=" in url for url in seen["websockets"])
    upgrades = [line for line in seen["log"] if line.startswith("upgraded to websocket")]
    assert len(upgrades) == len(seen["websockets"])


def check_websocket_first(seen: Seen) -> None:
    """There was no polling at all, and the page gave itself an identity."""
    assert not any("transport=polling" in url for url in seen["asked"])
    assert "sid=" not in seen["websockets"][0]
    assert re.search(r"/index2\.html\?client_id=[0-9a-f]{32}$", seen["url"])


def test_default_transports_through_one_node(one_node: Stack, visit):
    seen = visit(f"{one_node.url}/index.html", "one-node-index")
    check(seen, one_node)
    check_upgrade(seen)


def test_websocket_first_through_one_node(one_node: Stack, visit):
    seen = visit(f"{one_node.url}/index2.html", "one-node-index2", colorScheme="dark")
    check(seen, one_node)
    check_websocket_first(seen)


@pytest.mark.departure(SPLIT)
def test_default_transports_through_the_ring(ring: Stack, visit):
    """Five sessions of one page: by chance some would get through even where polls and upgrade go separate ways."""
    seen = visit(f"{ring.url}/index.html", "ring-index", colorScheme="dark", sessions=5)
    check(seen, ring, sessions=5)
    check_upgrade(seen)


def test_websocket_first_through_the_ring(ring: Stack, visit):
    seen = visit(f"{ring.url}/index2.html", "ring-index2")
    check(seen, ring)
    check_websocket_first(seen)


def test_a_client_id_that_is_there_stays(ring: Stack, visit):
    url = f"{ring.url}/index2.html?client_id=somebody"
    seen = visit(url, "ring-index2-phone", colorScheme="dark", **PHONE)
    check(seen, ring)
    assert seen["url"] == url


def test_the_start_page_on_a_phone(one_node: Stack, visit):
    seen = visit(f"{one_node.url}/", "one-node-phone", **PHONE)
    check(seen, one_node)
    check_upgrade(seen)


def test_a_page_without_npm_says_so_and_tries_the_cdn(one_node: Stack, visit):
    seen = visit(f"{one_node.url}/index.html", "without-library", withoutLibrary=True)
    asked = [url for url in seen["asked"] if url.endswith("/socket.io.min.js")]
    assert asked[0] == f"{one_node.url}/socket.io.min.js"
    assert re.fullmatch(r"https://cdn\.socket\.io/4\.\d+\.\d+/socket\.io\.min\.js", asked[1])
    assert "npm ci" in seen["notices"][0]
