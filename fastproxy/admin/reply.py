"""What an admin path answers with, and what it is given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastproxy.status import Status

TEXT = "text/plain; charset=UTF-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    text: str
    status: HTTPStatus = HTTPStatus.OK
    content_type: str = TEXT

    @property
    def headers(self) -> dict[str, str]:
        """Envoy's headers of every admin answer."""
        return {
            "content-type": self.content_type,
            "cache-control": "no-cache, max-age=0",
            "x-content-type-options": "nosniff",
            "server": "envoy",
        }


Query = Mapping[str, str]
Handler = Callable[[Status, Query], Reply]
