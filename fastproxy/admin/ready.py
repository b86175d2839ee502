"""`/ready`: may this server be sent traffic?"""

from http import HTTPStatus

from fastproxy.admin.reply import Query, Reply
from fastproxy.status import ServerState, Status


def ready(status: Status, query: Query) -> Reply:
    """The state's name; 200 only for LIVE."""
    code = HTTPStatus.OK if status.state is ServerState.LIVE else HTTPStatus.SERVICE_UNAVAILABLE
    return Reply(f"{status.state.name}\n", code)
