"""The probe of each kind of check, and what is the same about them."""

from collections.abc import Sequence
from typing import Protocol

from fastproxy.health.checks import Finding
from fastproxy.log_format import compile_format
from fastproxy.model import AppendAction, Host
from fastproxy.model_heads import HeaderValue

USER_AGENT = "Envoy/HC"
"""What nodes know health checks by; they may answer, count and log them otherwise."""


class Prober(Protocol):
    """Asks one host. `ask` is cancelled when it takes too long; then, and when a check is over that may not keep its
    connection, `close` is called."""

    async def ask(self) -> Finding: ...
    def close(self) -> None: ...


def host_name(host: Host, configured: str, cluster: str) -> str:
    """What a check writes as `host`: the endpoint's own name, that of the check, or the cluster's."""
    return host.check.hostname or configured or cluster


def are_in_order(data: bytes, pieces: Sequence[bytes]) -> bool:
    """Whether all pieces stand in `data`, one behind the other, whatever stands between them."""
    at = 0
    for piece in pieces:
        found = data.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True


def with_headers(
    fields: list[tuple[str, str]], added: Sequence[HeaderValue], removed: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """The fields of a request without those that go, and with those of the configuration, which names no operators: in
    Envoy's order, so that a field that is both removed and added is there."""
    fields = [field for field in fields if field[0] not in removed]
    for each in added:
        value = b"".join(operator.text for operator in compile_format(each.value)).decode("latin-1")
        known = any(name == each.key for name, _ in fields)
        if not value and not each.keep_empty_value:
            continue
        if known and each.append_action is AppendAction.ADD_IF_ABSENT:
            continue
        if not known and each.append_action is AppendAction.OVERWRITE_IF_EXISTS:
            continue
        if each.append_action in (AppendAction.OVERWRITE_IF_EXISTS, AppendAction.OVERWRITE_IF_EXISTS_OR_ADD):
            fields = [field for field in fields if field[0] != each.key]
        fields = [*fields, (each.key, value)]
    return fields
