"""Tells of nodes that issue each other's session ids: once for each cluster."""

import logging

LOG = logging.getLogger("fastproxy.affinity")


class SharedIds:
    """Of one worker."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, cluster: str, host: str) -> None:
        """`host` has issued an id that a live session of another host of `cluster` has."""
        if cluster in self._told:
            return
        self._told.add(cluster)
        LOG.warning(
            "cluster '%s': %s issues session ids that other hosts issue as well, which cannot be told apart; "
            "give its servers random ids (go-socket.io: SessionIDGenerator), or the route a hash policy",
            cluster,
            host,
        )
