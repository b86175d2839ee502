"""Where a client sends its requests, when there is more than one proxy to choose from."""

import random
from collections.abc import Sequence
from urllib.parse import urlsplit


class Hosts:
    """Addresses of proxies before the same nodes, as a client sees them behind one name.

    A client that `roams` draws one by lot for each request; any other keeps to the one that it began with, until that
    refuses its connection.
    """

    def __init__(self, urls: Sequence[str], *, roams: bool = False) -> None:
        self.urls = list(urls)
        self._roams = roams
        self._current = random.choice(self.urls)

    @property
    def url(self) -> str:
        return self._current

    def next_for(self, url: str) -> str:
        """The same request, to where this client sends its next one."""
        if self._roams:
            self._current = random.choice(self.urls)
        return self.placed(url)

    def placed(self, url: str) -> str:
        """The same request, to the current address."""
        return urlsplit(url)._replace(netloc=urlsplit(self._current).netloc).geturl()

    def leave(self, refused: str) -> None:
        """To the address after the one of this request, which refused it; others may have found that out before."""
        places = [urlsplit(each).netloc for each in self.urls]
        self._current = self.urls[(places.index(urlsplit(refused).netloc) + 1) % len(places)]
