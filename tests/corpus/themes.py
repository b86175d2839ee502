"""All rows of the corpus by theme."""

from tests.corpus import (
    answer_chunks,
    answer_fields,
    answer_framing,
    chunks,
    codings,
    endings,
    field_lines,
    hosts,
    interims,
    lengths,
    pipelines,
    request_lines,
    status_lines,
    targets,
    trailers,
    upgrades,
)
from tests.corpus.cases import RequestCase, ResponseCase, unique

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

RESPONSES: dict[str, tuple[ResponseCase, ...]] = {
    "status lines": status_lines.CASES,
    "fields of answers": answer_fields.CASES,
    "framing of answers": answer_framing.CASES,
    "chunks of answers": answer_chunks.CASES,
    "interim answers and 101": interims.CASES,
    "nodes that end, reset or overtake": endings.CASES,
}

for requests in REQUESTS.values():
    unique(requests)
for responses in RESPONSES.values():
    unique(responses)
