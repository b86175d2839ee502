"""What retries leave out, from the file to the model."""

from typing import Any

import pytest

from fastproxy.model_routes import RetryPolicy
from tests.unit.built_routes import built, only
from tests.unit.config_files import V3_ROUTE_PATH, errors, warnings

TYPES = "type.googleapis.com/envoy.extensions.retry."
PREVIOUS_HOSTS = {"@type": f"{TYPES}host.previous_hosts.v3.PreviousHostsPredicate"}
CANARY_HOSTS = {"@type": f"{TYPES}host.omit_canary_hosts.v3.OmitCanaryHostsPredicate"}
HOST_METADATA = f"{TYPES}host.omit_host_metadata.v3.OmitHostMetadataConfig"
PREVIOUS_PRIORITIES = f"{TYPES}priority.previous_priorities.v3.PreviousPrioritiesConfig"
OTHER = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}


def told(**policy: Any) -> tuple[RetryPolicy, list[tuple[str, str]], list[tuple[str, str]]]:
    """The policy of the model, what is wrong with it and what is said of it: `(path below the policy, message)`."""
    found, report = built(only(route={"cluster": "nodes", "retry_policy": policy}))
    path = f"{V3_ROUTE_PATH}.route.retry_policy."
    wrong, said = ([(where.removeprefix(path), text) for where, text in each(report)] for each in (errors, warnings))
    compiled = found.virtual_hosts[0].routes[0].retry_policy
    assert compiled is not None
    return compiled, wrong, said


def predicates(*configs: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"name": f"p{number}", "typed_config": config} for number, config in enumerate(configs)]


def metadata(**fields: Any) -> dict[str, Any]:
    return {"@type": HOST_METADATA, "metadata_match": {"filter_metadata": {"envoy.lb": fields}}}


def test_all_predicates_together() -> None:
    found = predicates(PREVIOUS_HOSTS, CANARY_HOSTS, metadata(a="1", b=True), metadata(c=2))
    policy, wrong, said = told(retry_host_predicate=found)
    assert (wrong, said) == ([], [])
    labels = ((("a", '"1"'), ("b", "true")), (("c", "2.0"),))
    assert policy == RetryPolicy(avoids_previous_hosts=True, omits_canary_hosts=True, omitted_labels=labels)


@pytest.mark.parametrize("config", [{"@type": HOST_METADATA}, metadata()])
def test_labels_that_nothing_stands_in(config: dict[str, Any]) -> None:
    policy, wrong, said = told(retry_host_predicate=predicates(config))
    assert policy == RetryPolicy()
    assert wrong == []
    ((where, message),) = said
    assert where == "retry_host_predicate[0].typed_config.metadata_match"
    assert message.startswith("omits no host: ")


@pytest.mark.parametrize("fields", [{"name": "envoy.retry_host_predicates.previous_hosts"}, *predicates(OTHER)])
def test_a_predicate_that_does_not_exist(fields: dict[str, Any]) -> None:
    _, wrong, _ = told(retry_host_predicate=[fields])
    ((where, message),) = wrong
    assert where == "retry_host_predicate[0]"
    assert message.endswith("there are previous_hosts, omit_canary_hosts and omit_host_metadata")


def test_previous_priorities() -> None:
    config = {"@type": PREVIOUS_PRIORITIES, "update_frequency": 2}
    policy, wrong, said = told(retry_priority={"name": "p", "typed_config": config})
    assert (policy, wrong, said) == (RetryPolicy(priority_update_frequency=2), [], [])


def test_a_priority_that_does_not_exist() -> None:
    _, wrong, _ = told(retry_priority={"name": "own", "typed_config": OTHER})
    said = '"own" without a typed_config that says which it is; there are previous_priorities'
    assert wrong == [("retry_priority", said)]
