"""What hash policies look at: whether it is there, whether it is the same for all requests of a client."""

from collections.abc import Iterator

from fastproxy.config.lint.addresses import is_open
from fastproxy.config.lint.scene import Advice, Rule, Scene
from fastproxy.config.tree import shorten, words

KNOWN_HEADERS = words(
    "accept accept-charset accept-encoding accept-language access-control-request-headers "
    "access-control-request-method authorization cache-control client-ip connection content-encoding content-language "
    "content-length content-type cookie date dnt expect forwarded from host if-match if-modified-since if-none-match "
    "if-range if-unmodified-since keep-alive last-event-id max-forwards mcp-session-id origin pragma "
    "proxy-authorization range referer sec-ch-ua sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user "
    "sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version te traceparent "
    "tracestate trailer transfer-encoding true-client-ip upgrade upgrade-insecure-requests user-agent via warning "
    "x-csrf-token x-forwarded-client-cert x-forwarded-email x-forwarded-for x-forwarded-host x-forwarded-port "
    "x-forwarded-prefix x-forwarded-proto x-forwarded-server x-forwarded-ssl x-forwarded-user x-real-ip x-request-id "
    "x-requested-with"
)
"""Request headers that browsers, Socket.IO clients and proxies are known to send."""

_CUTOFF = 0.85


def unsent_header(scene: Scene) -> Iterator[Advice]:
    for _, policy in scene.policies:
        header = policy.child("header")
        name = header.value("header_name")
        meant = misspelt(name) if policy.has("header") else None
        if meant is not None:
            message = f'no client sends a header "{shorten(name)}", so the ring would choose at random; write "{meant}"'
            yield Advice(header.node_of("header_name"), message)


def misspelt(name: str) -> str | None:
    """The well-known header that was probably meant by one that is none of them."""
    name = name.lower()
    if name in KNOWN_HEADERS or name.startswith(":"):
        return None
    import difflib  # most files name headers that are known

    near = difflib.get_close_matches(name[:60], KNOWN_HEADERS, n=1, cutoff=_CUTOFF)
    return near[0] if near else None


def unasked_hash(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        cluster = route.action.value("cluster")
        if route.policies and cluster in scene.clusters and cluster not in scene.hashing_clusters:
            message = f'has no effect here: the balancer of the cluster "{shorten(cluster)}" is not ring_hash'
            yield Advice(route.action.node_of("hash_policy"), message, at_key=True)


def client_address(scene: Scene) -> Iterator[Advice]:
    for route, policy in scene.policies:
        manager = route.manager.view
        if not policy.child("connection_properties").value("source_ip") or manager.has("xff_num_trusted_hops"):
            continue
        node = policy.node_of("connection_properties")
        if not manager.wrapped("use_remote_address", False):
            message = "the address is what the client writes into x-forwarded-for; set use_remote_address: true"
            yield Advice(node, f"{message}, and xff_num_trusted_hops behind other proxies")
        elif not is_open(route.manager.address):
            message = "behind another proxy all clients have the address of that one, and so one node"
            yield Advice(node, f"{message}; say with xff_num_trusted_hops how many there are")


def whole_list(scene: Scene) -> Iterator[Advice]:
    for _, policy in scene.policies:
        header = policy.child("header")
        if header.value("header_name").lower() in ("x-forwarded-for", "forwarded") and not header.has("regex_rewrite"):
            message = "the whole list of addresses is hashed, which differs with each way to here"
            yield Advice(header.node_of("header_name"), f"{message}; use connection_properties: {{source_ip: true}}")


def only_sid(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        names = [policy.child("query_parameter").value("name") for policy in route.policies]
        if names and set(names) == {"sid"}:
            message = "the first request of a session has no sid yet, and its answer decides the node"
            node = route.policies[0].child("query_parameter").node_of("name")
            yield Advice(node, f"{message}; leave this to sid_affinity, or hash on something else as well")


def cookie_across_sites(scene: Scene) -> Iterator[Advice]:
    for _, policy in scene.policies:
        cookie = policy.child("cookie")
        if not cookie.has("ttl"):
            continue
        attributes = {each.value("name").lower(): each.value("value").lower() for each in cookie.items("attributes")}
        if "samesite" not in attributes or (attributes["samesite"] == "none" and "secure" not in attributes):
            message = "browsers keep this cookie from requests of pages on other sites"
            yield Advice(cookie.node, f"{message}; add the attributes SameSite=None and Secure, or SameSite=Lax")


def passive_cookie(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        if len(route.policies) == 1 and route.policies[0].has("cookie"):
            cookie = route.policies[0].child("cookie")
            learned = {protocol.name for protocol in route.affinity.protocols}
            if not cookie.has("ttl") and f"cookie:{cookie.value('name')}" not in learned:
                message = "without a ttl this cookie is never set here, and a request without it goes to any node"
                yield Advice(cookie.node, f"{message}; add a ttl (0s: until the browser closes)")


def unasked_priority(scene: Scene) -> Iterator[Advice]:
    for route in scene.routes:
        cluster, policy = route.action.value("cluster"), route.action.child("retry_policy")
        if policy.has("retry_priority") and cluster in scene.hashing_clusters:
            message = f'has no effect, as in Envoy: in the cluster "{shorten(cluster)}" the hash draws the priority'
            yield Advice(policy.node_of("retry_priority"), f"{message}; use retry_host_predicate", at_key=True)


RULES: dict[str, Rule] = {
    "FP101": unsent_header,
    "FP102": unasked_hash,
    "FP103": client_address,
    "FP104": whole_list,
    "FP105": only_sid,
    "FP106": cookie_across_sites,
    "FP107": passive_cookie,
    "FP127": unasked_priority,
}
