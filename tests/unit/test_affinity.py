"""Engine.IO on the wire: parameters of a query."""

import pytest

from fastproxy.affinity import query

SID = b"lv_VI97HAXpY6yYWAAAC"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/socket.io/?EIO=4&transport=polling", (True, True, b"")),
        (b"/socket.io/?EIO=4&transport=polling&t=abc&sid=" + SID, (True, True, SID)),
        (b"/socket.io/?sid=" + SID + b"&transport=websocket&EIO=3", (True, False, SID)),
        (b"/socket.io/", (False, False, b"")),
        (b"/socket.io/?", (False, False, b"")),
        (b"/?EIO=", (False, False, b"")),
        (b"/?xEIO=4&xsid=a&transport=pollings", (False, False, b"")),
        (b"/?EIO=4&sid=a&sid=b", (True, False, b"")),
        (b"/?EIO=4&sid=", (True, False, b"")),
        (b"/?EIO=4&sid=a%20b", (True, False, b"")),
        (b"/?EIO=4&sid=" + b"a" * 128, (True, False, b"a" * 128)),
        (b"/?EIO=4&sid=" + b"a" * 129, (True, False, b"")),
        (b"/EIO=4&sid=a", (False, False, b"")),
        (b"/?a?EIO=4&sid=a", (False, False, b"a")),
    ],
)
def test_query(target, expected):
    assert query(target) == expected
