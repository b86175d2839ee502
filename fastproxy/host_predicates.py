"""Which hosts a retry leaves out (Envoy: the extensions `envoy.retry_host_predicates.*`)."""

from fastproxy.model_clusters import Host
from fastproxy.model_routes import RetryPolicy


class HostPredicates:
    """The predicates of one policy. They are asked about the hosts of retries, not of first tries."""

    def __init__(self, policy: RetryPolicy) -> None:
        self._policy = policy

    @property
    def are_none(self) -> bool:
        """Whether any host will do."""
        policy = self._policy
        return not (policy.avoids_previous_hosts or policy.omits_canary_hosts or policy.omitted_labels)

    def reject(self, host: Host, was_tried: bool) -> bool:
        """Whether another host is to be chosen if there is one: one predicate is enough."""
        policy = self._policy
        if (was_tried and policy.avoids_previous_hosts) or (host.is_canary and policy.omits_canary_hosts):
            return True
        return any(_has_all(host, labels) for labels in policy.omitted_labels)


def _has_all(host: Host, labels: tuple[tuple[str, str], ...]) -> bool:
    found = dict(host.labels)
    return all(value in found.get(key, ()) for key, value in labels)
