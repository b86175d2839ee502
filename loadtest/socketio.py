"""The file for `locust -f`: users of four kinds, each session with a real Socket.IO client. See docs/loadtest.md.

Locust imports this file by its bare name, with its folder at the head of the module path: for that moment it is what
`import socketio` finds. So it steps aside before anything else is imported, and leaves the name to the library.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "socketio":
    sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if Path(entry).resolve() != HERE)]
    del sys.modules[__name__]

from loadtest import options, verdict  # noqa: E402
from loadtest.users import SocketIOUser  # noqa: E402

__all__ = ["SocketIOUser"]

options.register()
verdict.register()
