"""What an access log is when a file says no more than its path."""

from fastproxy.model import DEFAULT_ACCESS_LOG_FORMAT, AccessLog
from fastproxy.model_logs import MAX_ACCESS_LOGS


def test_defaults():
    log = AccessLog("/tmp/log")
    assert (log.format, log.filter) == (DEFAULT_ACCESS_LOG_FORMAT, None)
    assert log.format.endswith('"%UPSTREAM_HOST%"\n')
    assert MAX_ACCESS_LOGS > 0
