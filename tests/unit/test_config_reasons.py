"""What is said of what Envoy has and fastproxy does not support, each at its place."""

import json

import pytest

from fastproxy import config
from fastproxy.config import reasons
from fastproxy.config.coverage_tables import ACTED_ON
from tests.unit.config_files import EXTENSIONS, refused, v3_cluster, v3_file, v3_listener, v3_manager, v3_route

HTTP = f"{EXTENSIONS}filters.http."


def with_filter(name, **more):
    document = v3_file()
    typed = {"@type": f"{HTTP}{name}"}
    v3_manager(document)["http_filters"].insert(0, {"name": "f", "typed_config": typed, **more})
    return document


def told(folder, document):
    """Each mistake as line, column and message; the line is that of the file as it was written."""
    return [(problem.line, problem.column, problem.message) for problem in refused(folder, document)]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("lua.v3.Lua", "is not supported: code that a file brings along is not run; remove it"),
        ("jwt_authn.v3.JwtAuthentication", "is not supported: nobody would be kept out; remove it, and check"),
        ("ext_authz.v3.ExtAuthz", "is not supported: nobody would be kept out"),
        ("rbac.v3.RBAC", "is not supported: nobody would be kept out"),
        ("grpc_web.v3.GrpcWeb", "is not supported: there is no HTTP/2, which gRPC needs; remove it"),
        ("tap.v3.Tap", "is not supported: traffic is not copied"),
        ("on_demand.v3.OnDemand", "is not supported; use envoy.extensions.filters.http.router"),
    ],
)
def test_filters(tmp_path, name, words):
    problems = [found for found in told(tmp_path, with_filter(name)) if "the filter" in found[2]]
    [(line, column, message)] = problems
    assert (line, column) == (49, 11)
    assert message.startswith(f'the filter "f" (envoy.extensions.filters.http.{name}) ')
    assert words in message


@pytest.mark.parametrize(("name", "is_error"), [("rbac.v3.RBAC", True), ("tap.v3.Tap", False)])
def test_a_guard_is_not_made_harmless_by_being_optional(tmp_path, name, is_error):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(with_filter(name, is_optional=True)))
    severities = [found.severity.value for found in config.check(str(path)) if "the filter" in found.message]
    assert severities == ["error" if is_error else "warning"]


def tls(context):
    return {"name": "tls", "typed_config": {"@type": f"{EXTENSIONS}transport_sockets.tls.v3.{context}TlsContext"}}


@pytest.mark.parametrize(
    ("change", "place", "words"),
    [
        (
            lambda d: v3_listener(d)["filter_chains"][0].update(transport_socket=tls("Downstream")),
            (59, 7),
            "not supported: TLS is not spoken yet; remove it and let another server end TLS",
        ),
        (
            lambda d: v3_cluster(d).update(transport_socket=tls("Upstream")),
            (98, 5),
            "not supported: TLS is not spoken to hosts yet, and without it requests would go there readable",
        ),
        (
            lambda d: d.update(dynamic_resources={"ads_config": {}}),
            (101, 2),
            "not supported: nothing is fetched from a control plane; write it under static_resources",
        ),
        (
            lambda d: v3_cluster(d).update(hosts=[]),
            (98, 5),
            '"hosts" is the form of Envoy\'s v2 API; write "load_assignment"',
        ),
        (
            lambda d: v3_route(d)["match"].update(regex="/x"),
            (39, 16),
            '"regex" is the form of Envoy\'s v2 API; write "safe_regex": {"regex": ...}',
        ),
        (
            lambda d: v3_manager(d)["http_filters"][0].update(config={}),
            (54, 12),
            '"config" is the form of Envoy\'s v2 API; write "typed_config" with the "@type" of what it configures',
        ),
        (
            lambda d: v3_manager(d)["http_filters"][0]["typed_config"].update(
                {"@type": "type.googleapis.com/envoy.config.filter.http.router.v2.Router"}
            ),
            (52, 22),
            '"type.googleapis.com/envoy.config.filter.http.router.v2.Router" belongs to Envoy\'s v2 API; '
            "write the configuration for v3",
        ),
    ],
)
def test_fields(tmp_path, change, place, words):
    document = v3_file()
    change(document)
    [(line, column, message)] = told(tmp_path, document)
    assert message.startswith(words)
    assert (line, column) == place


def test_no_reason_for_what_is_acted_on():
    assert [field for field in reasons.FIELDS if field[1] in ACTED_ON.get(field[0], ())] == []


def test_filters_of_no_kind():
    assert reasons.filter_reason("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector") == ""
    assert not reasons.is_guard("xds.type.v3.TypedStruct")
