"""Asks a host over HTTP, as Envoy's http_health_check."""

from collections.abc import Callable

from fastproxy.health.checks import Finding, Outcome
from fastproxy.health.client import Answer, BadAnswer, Connection, reason
from fastproxy.health.probes import USER_AGENT, are_in_order, host_name, with_headers
from fastproxy.model import Host, HttpProbe
from fastproxy.model_routes import StringMatch, StringMatcher
from fastproxy.regexes import Regex

IMMEDIATE_FAIL = "x-envoy-immediate-health-check-fail"
DEGRADED = "x-envoy-degraded"
SERVICE = "x-envoy-upstream-healthchecked-cluster"


class HttpProber:
    """Asks one host, over `connection`."""

    def __init__(self, probe: HttpProbe, cluster: str, host: Host, connection: Connection) -> None:
        self._probe = probe
        self._connection = connection
        fields = [("host", host_name(host, probe.host, cluster)), ("user-agent", USER_AGENT)]
        self._fields = with_headers(fields, probe.headers, probe.removed_headers)
        self._fits = matcher(probe.service_name) if probe.service_name else None

    async def ask(self) -> Finding:
        probe = self._probe
        try:
            answer = await self._connection.ask(probe.method, probe.path, self._fields, probe.send)
        except (OSError, EOFError, BadAnswer) as error:
            self.close()
            return Finding(Outcome.NETWORK, reason(error))
        return self._judge(answer)

    def close(self) -> None:
        self._connection.close()

    def _judge(self, answer: Answer) -> Finding:
        probe, status = self._probe, answer.status
        if not _is_in(status, probe.expected_statuses):
            outcome = Outcome.RETRIABLE if _is_in(status, probe.retriable_statuses) else Outcome.FAILURE
            return Finding(outcome, f"status {status}", excludes=answer.field(IMMEDIATE_FAIL) is not None)
        verified = self._fits is not None
        if self._fits is not None and not self._fits(answer.field(SERVICE) or ""):
            return Finding(Outcome.FAILURE, "another service answers", verified=verified)
        if not are_in_order(answer.body[: probe.response_buffer_bytes], probe.receive):
            return Finding(Outcome.FAILURE, "the body is not what was expected", verified=verified)
        outcome = Outcome.SUCCESS if answer.field(DEGRADED) is None else Outcome.DEGRADED
        return Finding(outcome, verified=verified)


def _is_in(status: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(start <= status < end for start, end in ranges)


def matcher(model: StringMatcher) -> Callable[[str], bool]:
    """Whether a text is what a StringMatcher of the model wants."""
    if model.kind is StringMatch.REGEX:
        regex = Regex(model.text)
        return lambda text: regex.full_match(text.encode())
    compare, fold = _COMPARE[model.kind], str.lower if model.ignore_case else str
    return lambda text: compare(fold(text), fold(model.text))


_COMPARE: dict[StringMatch, Callable[[str, str], bool]] = {
    StringMatch.EXACT: str.__eq__,
    StringMatch.PREFIX: str.startswith,
    StringMatch.SUFFIX: str.endswith,
    StringMatch.CONTAINS: str.__contains__,
}
