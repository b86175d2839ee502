"""What an answer over HTTP says about its host."""

import pytest

from fastproxy.health.checks import Finding, Outcome
from fastproxy.health.client import Connection
from fastproxy.health.http_probe import HttpProber, matcher
from fastproxy.model import Host, HttpProbe
from fastproxy.model_routes import StringMatch, StringMatcher
from tests.unit.probed_nodes import answering, ok, with_node


def found(answer, times=1, **fields):
    async def work(node):
        prober = HttpProber(HttpProbe("/h", **fields), "nodes", Host(node.address), Connection(node.address))
        for _ in range(times):
            finding = await prober.ask()
        prober.close()
        return finding, node

    return with_node(answering(answer), work)


def test_the_request():
    finding, node = found(ok())
    assert finding == Finding(Outcome.SUCCESS)
    assert node.requests == [b"GET /h HTTP/1.1\r\nhost: nodes\r\nuser-agent: Envoy/HC\r\n\r\n"]


@pytest.mark.parametrize(
    ("status", "fields", "outcome"),
    [
        (b"200 OK", {}, Outcome.SUCCESS),
        (b"204 No Content", {}, Outcome.FAILURE),
        (b"204 No Content", {"expected_statuses": ((200, 205),)}, Outcome.SUCCESS),
        (b"503 Unavailable", {}, Outcome.FAILURE),
        (b"503 Unavailable", {"retriable_statuses": ((500, 600),)}, Outcome.RETRIABLE),
    ],
)
def test_statuses(status, fields, outcome):
    assert found(ok(status=status), **fields)[0].outcome is outcome


def test_a_degraded_host():
    assert found(ok(more=b"x-envoy-degraded: 1\r\n"))[0].outcome is Outcome.DEGRADED


def test_only_a_failing_host_excludes_itself():
    more = b"X-Envoy-Immediate-Health-Check-Fail: true\r\n"
    assert found(ok(more=more))[0] == Finding(Outcome.SUCCESS)
    assert found(ok(more=more, status=b"503 x"))[0] == Finding(Outcome.FAILURE, "status 503", excludes=True)


@pytest.mark.parametrize(("service", "outcome"), [(b"nodes-1", Outcome.SUCCESS), (b"others", Outcome.FAILURE)])
def test_services(service, outcome):
    wanted = StringMatcher(StringMatch.PREFIX, "nodes")
    answer = ok(more=b"x-envoy-upstream-healthchecked-cluster: %b\r\n" % service)
    finding, _ = found(answer, service_name=wanted)
    assert (finding.outcome, finding.verified) == (outcome, True)
    assert found(ok(), service_name=wanted)[0].outcome is Outcome.FAILURE


def test_bodies():
    assert found(ok(b"all is well"), receive=(b"all", b"well"))[0].outcome is Outcome.SUCCESS
    assert found(ok(b"all is bad"), receive=(b"well",))[0].outcome is Outcome.FAILURE
    assert found(ok(b"..well"), receive=(b"well",), response_buffer_bytes=4)[0].outcome is Outcome.FAILURE


@pytest.mark.parametrize("answer", [b"", b"+OK\r\n\r\n"])
def test_no_answer(answer):
    assert found(answer)[0].outcome is Outcome.NETWORK


def test_one_connection_for_all_checks():
    assert found(ok(), times=5)[1].connections == 1


@pytest.mark.parametrize(
    ("kind", "text", "ignore_case", "fits", "not_fits"),
    [
        (StringMatch.EXACT, "Abc", False, "Abc", "abc"),
        (StringMatch.EXACT, "Abc", True, "aBC", "abcd"),
        (StringMatch.PREFIX, "a", False, "ab", "ba"),
        (StringMatch.SUFFIX, "a", False, "ba", "ab"),
        (StringMatch.CONTAINS, "a", False, "bab", "bbb"),
        (StringMatch.REGEX, "a+", False, "aaa", "aab"),
    ],
)
def test_matchers(kind, text, ignore_case, fits, not_fits):
    match = matcher(StringMatcher(kind, text, ignore_case))
    assert match(fits)
    assert not match(not_fits)
