"""All rows of the corpus by theme."""

from tests.corpus import (
    chunks,
    codings,
    field_lines,
    hosts,
    lengths,
    pipelines,
    request_lines,
    targets,
    trailers,
    upgrades,
)
from tests.corpus.cases import RequestCase, unique

REQUESTS: dict[str, tuple[RequestCase, ...]] = {
    "request lines": request_lines.CASES,
    "targets": targets.CASES,
    "Host": hosts.CASES,
    "field lines": field_lines.CASES,
    "Content-Length": lengths.CASES,
    "Transfer-Encoding": codings.CASES,
    "chunks": chunks.CASES,
    "trailers": trailers.CASES,
    "upgrades": upgrades.CASES,
    "pipelines and Connection": pipelines.CASES,
}

for cases in REQUESTS.values():
    unique(cases)
