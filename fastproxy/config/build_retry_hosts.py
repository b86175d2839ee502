"""Which hosts and priorities retries leave out, from the v3 messages (Envoy: extensions.retry.host and .priority)."""

from dataclasses import dataclass, field

from fastproxy.config.build_metadata import balancing_metadata, labels_of
from fastproxy.config.tree import Report, shorten
from fastproxy.config.v3 import View

_HOST = "envoy.extensions.retry.host."
_PREVIOUS_HOSTS = f"{_HOST}previous_hosts.v3.PreviousHostsPredicate"
_CANARY_HOSTS = f"{_HOST}omit_canary_hosts.v3.OmitCanaryHostsPredicate"
_HOST_METADATA = f"{_HOST}omit_host_metadata.v3.OmitHostMetadataConfig"
_PREVIOUS_PRIORITIES = "envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"


@dataclass(slots=True)
class RetryHosts:
    """What the predicates of a policy say together."""

    avoids_previous_hosts: bool = False
    omits_canary_hosts: bool = False
    omitted_labels: list[tuple[tuple[str, str], ...]] = field(default_factory=list)


def build_retry_hosts(policy: View, report: Report) -> RetryHosts:
    """Of `retry_host_predicate`. Labels that nothing stands in omit no host."""
    found = RetryHosts()
    for predicate in policy.items("retry_host_predicate"):
        config = predicate.child("typed_config")
        if config.type_name == _PREVIOUS_HOSTS:
            found.avoids_previous_hosts = True
        elif config.type_name == _CANARY_HOSTS:
            found.omits_canary_hosts = True
        elif config.type_name == _HOST_METADATA:
            labels = labels_of(balancing_metadata(config.value("metadata_match")))
            if labels:
                found.omitted_labels.append(labels)
            else:
                said = "omits no host: nothing stands in metadata_match.filter_metadata of envoy.lb"
                report.warning(config.node_of("metadata_match"), said)
        else:
            _unknown(predicate, "previous_hosts, omit_canary_hosts and omit_host_metadata", report)
    return found


def build_update_frequency(policy: View, report: Report) -> int:
    """Of `retry_priority`; 0: there is none."""
    if not policy.has("retry_priority"):
        return 0
    priority = policy.child("retry_priority")
    config = priority.child("typed_config")
    if config.type_name != _PREVIOUS_PRIORITIES:
        _unknown(priority, "previous_priorities", report)
        return 0
    return int(config.value("update_frequency"))


def _unknown(view: View, known: str, report: Report) -> None:
    if not view.node.damaged:
        name = shorten(view.value("name"))
        report.error(view.node, f'"{name}" without a typed_config that says which it is; there are {known}')
