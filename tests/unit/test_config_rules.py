"""The validate.rules of Envoy's schema: one case for each kind of rule that its messages use."""

import pytest

from fastproxy.config import rules
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
)

FIRST_HOST = f"{V3_CLUSTER_PATH}.load_assignment.endpoints[0].lb_endpoints[0]"


def complaints(document):
    bootstrap, report = view(document)
    assert errors(report) == []
    rules.check(bootstrap, report)
    return errors(report)


def host(document):
    return v3_cluster(document)["load_assignment"]["endpoints"][0]["lb_endpoints"][0]


def test_a_good_file():
    assert complaints(v3_file()) == []


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        (lambda d: v3_cluster(d).pop("name"), f"{V3_CLUSTER_PATH}.name", '"name" is required here'),
        (lambda d: v3_cluster(d).update(name=""), f"{V3_CLUSTER_PATH}.name", "needs at least 1 character"),
        (
            lambda d: v3_cluster(d).update(connect_timeout="0s"),
            f"{V3_CLUSTER_PATH}.connect_timeout",
            "has to be greater than 0s",
        ),
        (
            lambda d: v3_cluster(d).update(dns_refresh_rate="0.0001s"),
            f"{V3_CLUSTER_PATH}.dns_refresh_rate",
            "has to be greater than 0.001s",
        ),
        (
            lambda d: v3_cluster(d).update(ring_hash_lb_config={"maximum_ring_size": 8388609}),
            f"{V3_CLUSTER_PATH}.ring_hash_lb_config.maximum_ring_size",
            "has to be at most 8388608, not 8388609",
        ),
        (
            lambda d: host(d).update(load_balancing_weight=0),
            f"{FIRST_HOST}.load_balancing_weight",
            "has to be at least 1, not 0",
        ),
        (
            lambda d: host(d)["endpoint"]["address"]["socket_address"].update(port_value=65536),
            f"{FIRST_HOST}.endpoint.address.socket_address.port_value",
            "has to be at most 65535, not 65536",
        ),
        (
            lambda d: host(d)["endpoint"]["address"]["socket_address"].pop("port_value"),
            f"{FIRST_HOST}.endpoint.address.socket_address",
            "one of port_value, named_port is required here",
        ),
        (
            lambda d: v3_cluster(d)["load_assignment"].pop("cluster_name"),
            f"{V3_CLUSTER_PATH}.load_assignment.cluster_name",
            '"cluster_name" is required here',
        ),
        (
            lambda d: v3_manager(d).pop("stat_prefix"),
            f"{V3_MANAGER_PATH}.stat_prefix",
            '"stat_prefix" is required here',
        ),
        (
            lambda d: v3_manager(d).update(max_request_headers_kb=8193),
            f"{V3_MANAGER_PATH}.max_request_headers_kb",
            "has to be at most 8192, not 8193",
        ),
        (
            lambda d: v3_manager(d).pop("route_config"),
            V3_MANAGER_PATH,
            "one of rds, route_config, scoped_routes is required here",
        ),
        (lambda d: v3_route(d).pop("match"), f"{V3_ROUTE_PATH}.match", '"match" is required here'),
        (
            lambda d: v3_route(d)["route"].update(timeout="-1s"),
            f"{V3_ROUTE_PATH}.route.timeout",
            "a duration cannot be negative",
        ),
        (
            lambda d: v3_route(d)["route"].update(timeout=" 1s"),
            f"{V3_ROUTE_PATH}.route.timeout",
            'expected a duration in seconds such as "0.25s", not the text " 1s"',
        ),
        (
            lambda d: v3_route(d)["route"].update(prefix_rewrite="a\nb"),
            f"{V3_ROUTE_PATH}.route.prefix_rewrite",
            "may not contain line breaks",
        ),
        (
            lambda d: v3_route(d)["route"].update(hash_policy=[{"header": {"header_name": "a\nb"}}]),
            f"{V3_ROUTE_PATH}.route.hash_policy[0].header.header_name",
            "may not contain line breaks",
        ),
        (
            lambda d: v3_manager(d)["route_config"]["virtual_hosts"][0].update(domains=[]),
            f"{V3_MANAGER_PATH}.route_config.virtual_hosts[0].domains",
            "needs at least 1 element",
        ),
        (
            lambda d: v3_manager(d)["route_config"].update(request_headers_to_remove=["a\nb"]),
            f"{V3_MANAGER_PATH}.route_config.request_headers_to_remove[0]",
            "may not contain line breaks",
        ),
        (
            lambda d: v3_route(d)["match"].update(path_separated_prefix="/a/", prefix=None),
            f"{V3_ROUTE_PATH}.match.path_separated_prefix",
            "has to match ^[^?#]+[^?#/]$",
        ),
        (
            lambda d: v3_route(d).update(redirect={"response_code": 9}, route=None),
            f"{V3_ROUTE_PATH}.redirect.response_code",
            "9 is no RedirectResponseCode",
        ),
        (
            lambda d: v3_route(d)["route"].update(cluster_not_found_response_code="NOT_FOUND", hash_policy=[{}]),
            f"{V3_ROUTE_PATH}.route.hash_policy[0]",
            "one of header, cookie, connection_properties, query_parameter, filter_state is required here",
        ),
    ],
)
def test_rules(change, path, message):
    document = v3_file()
    change(document)
    bootstrap, report = view(document)
    rules.check(bootstrap, report)
    assert errors(report) == [(path, message)]


def test_rules_reach_the_inside_of_typed_configs():
    document = v3_file()
    log = {"@type": f"{EXTENSIONS}access_loggers.file.v3.FileAccessLog", "path": ""}
    v3_manager(document)["access_log"] = [{"name": "file", "typed_config": log}]
    assert complaints(document) == [
        (f"{V3_MANAGER_PATH}.access_log[0].typed_config.path", "needs at least 1 character")
    ]


def test_what_was_reported_already_is_not_missed_again():
    document = v3_file()
    host(document)["endpoint"]["address"]["socket_address"]["port_value"] = "eighty"
    v3_manager(document)["stat_prefix"] = 7
    v3_listener(document)["name"] = "still checked"
    v3_cluster(document)["name"] = ""
    bootstrap, report = view(document)
    found = len(errors(report))
    rules.check(bootstrap, report)
    assert found == 2
    assert len(errors(report)) == 3
