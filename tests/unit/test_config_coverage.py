"""A field that fastproxy does not act on is refused or warned of, never swallowed."""

import pytest

from fastproxy.config import coverage
from tests.unit.config_files import (
    EXTENSIONS,
    V3_CLUSTER_PATH,
    V3_MANAGER_PATH,
    V3_ROUTE_PATH,
    errors,
    v3_cluster,
    v3_file,
    v3_listener,
    v3_manager,
    v3_route,
    view,
    warnings,
)

TLS = {
    "name": "tls",
    "typed_config": {"@type": f"{EXTENSIONS}transport_sockets.tls.v3.UpstreamTlsContext", "sni": "x"},
}


def checked(change):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    assert errors(report) == []
    coverage.check(bootstrap, report)
    return errors(report), warnings(report)


def test_a_file_that_is_acted_on_whole():
    assert checked(lambda document: None) == ([], [])


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda d: v3_cluster(d).update(transport_socket=TLS), f"{V3_CLUSTER_PATH}.transport_socket"),
        (lambda d: v3_cluster(d).update(filters=[{}]), f"{V3_CLUSTER_PATH}.filters"),
        (
            lambda d: v3_cluster(d)["load_assignment"].update(policy={"drop_overloads": [{"category": "x"}]}),
            f"{V3_CLUSTER_PATH}.load_assignment.policy.drop_overloads",
        ),
        (
            lambda d: v3_manager(d).update(path_normalization_options={"http_filter_transformation": {}}),
            f"{V3_MANAGER_PATH}.path_normalization_options",
        ),
        (
            lambda d: v3_route(d)["match"].update(tls_context={}),
            f"{V3_ROUTE_PATH}.match.tls_context",
        ),
        (
            lambda d: v3_route(d)["route"].update(internal_redirect_policy={}),
            f"{V3_ROUTE_PATH}.route.internal_redirect_policy",
        ),
        (
            lambda d: v3_route(d)["route"].update(retry_policy={"retry_options_predicates": [{"name": "x"}]}),
            f"{V3_ROUTE_PATH}.route.retry_policy.retry_options_predicates",
        ),
        (
            lambda d: v3_listener(d).update(use_original_dst=True),
            "static_resources.listeners[0].use_original_dst",
        ),
        (lambda d: d.update(dynamic_resources={}), "dynamic_resources"),
    ],
)
def test_refused(change, path):
    [(where, message)], told = checked(change)
    assert (where, told) == (path, [])
    assert message == coverage.REFUSED or message.startswith("not supported: ")


@pytest.mark.parametrize(
    ("change", "path", "words"),
    [
        (
            lambda d: v3_route(d)["route"].update(hedge_policy={"hedge_on_per_try_timeout": True}),
            f"{V3_ROUTE_PATH}.route.hedge_policy",
            "has no effect here: a request is at one host at a time: per_try_timeout gives up the host that is late "
            "before another one is asked, so that no two work on the same request",
        ),
        (
            lambda d: v3_manager(d).update(tracing={}),
            f"{V3_MANAGER_PATH}.tracing",
            "has no effect here: no spans are made",
        ),
        (
            lambda d: v3_manager(d).update(common_http_protocol_options={"max_response_headers_kb": 9}),
            f"{V3_MANAGER_PATH}.common_http_protocol_options.max_response_headers_kb",
            "has no effect here",
        ),
        (
            lambda d: v3_cluster(d).update(circuit_breakers={"thresholds": [{"max_connection_pools": 9}]}),
            f"{V3_CLUSTER_PATH}.circuit_breakers.thresholds[0].max_connection_pools",
            "has no effect here: each host has one pool for each priority",
        ),
        (
            lambda d: d.update(layered_runtime={"layers": [{"name": "x", "admin_layer": {}}]}),
            "layered_runtime.layers[0].admin_layer",
            "has no effect here: what the file says counts",
        ),
        (lambda d: d.update(node={"locality": {"zone": "a"}}), "node.locality", "has no effect here"),
    ],
)
def test_warned_of(change, path, words):
    assert checked(change) == ([], [(path, words)])


@pytest.mark.parametrize(
    "change",
    [
        lambda d: v3_manager(d).update(normalize_path=False, merge_slashes=False, http_protocol_options={}),
        lambda d: v3_listener(d).update(enable_reuse_port=True, metadata={}),
        lambda d: v3_listener(d)["address"]["socket_address"].update(protocol="TCP"),
        lambda d: v3_cluster(d)["load_assignment"]["endpoints"][0].update(locality={"zone": "a"}),
        lambda d: v3_cluster(d)["load_assignment"]["endpoints"][0]["lb_endpoints"][0].update(health_status="HEALTHY"),
        lambda d: v3_route(d)["route"].update(auto_host_rewrite=False, priority="DEFAULT"),
        lambda d: v3_manager(d)["route_config"].update(name="local_route", validate_clusters=True),
        lambda d: v3_manager(d).update(xff_num_trusted_hops=0),
        lambda d: v3_listener(d).update(per_connection_buffer_limit_bytes=9000),
        lambda d: v3_cluster(d).update(per_connection_buffer_limit_bytes=0),
    ],
)
def test_what_says_no_more_than_the_default_passes(change):
    assert checked(change) == ([], [])
