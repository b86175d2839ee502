"""Headers of an admin answer, as Envoy recorded them."""

import json

import pytest

from fastproxy.admin.reply import JSON, Reply


@pytest.mark.parametrize(
    ("path", "reply"), [("/ready", Reply("")), ("/listeners?format=json", Reply("", content_type=JSON))]
)
def test_headers_as_envoy(golden, path, reply):
    index = json.loads((golden / "admin" / "index.json").read_text())
    recorded = next(dict(sample["headers"]) for sample in index["samples"] if sample["path"] == path)
    for name in ("connection", "transfer-encoding"):  # how a connection is used is the server's affair
        del recorded[name]
    assert reply.headers == recorded
