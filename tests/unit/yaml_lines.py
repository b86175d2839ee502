"""A small v3 file in YAML whose lines tests exchange one by one, to see at which line and column a mistake is told."""

from pathlib import Path

from tests.unit.config_files import EXTENSIONS, refused

MANAGER = f"{EXTENSIONS}filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = f"{EXTENSIONS}filters.http.router.v3.Router"
TCP_PROXY = f"{EXTENSIONS}filters.network.tcp_proxy.v3.TcpProxy"
TYPED_STRUCT = "type.googleapis.com/xds.type.v3.TypedStruct"
VIRTUAL_HOST = '{name: a, domains: ["*"], routes: [{match: {prefix: /}, route: {cluster: nodes}}]}'
LINES = f"""\
admin: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 9902}}}}}}
static_resources:
  listeners:
  - name: http
    address: {{socket_address: {{address: 127.0.0.1, port_value: 9002}}}}
    filter_chains:
    - filters:
      - name: http
        typed_config:
          "@type": {MANAGER}
          stat_prefix: front
          use_remote_address: false
          route_config: {{virtual_hosts: [{VIRTUAL_HOST}]}}
          http_filters: [{{name: router, typed_config: {{"@type": {ROUTER}}}}}]
  - name: tcp
    address: {{socket_address: {{address: 127.0.0.1, port_value: 9003}}}}
    filter_chains:
    - filters:
      - {{name: routes, typed_config: {{"@type": {TYPED_STRUCT}, type_url: fastproxy.v1.TcpRoutes, value: {{routes: [
          {{cluster: nodes}}]}}}}}}
      - name: tcp
        typed_config:
          "@type": {TCP_PROXY}
          stat_prefix: t
          cluster: nodes
  clusters:
  - name: nodes
    type: STATIC
    load_assignment:
      cluster_name: nodes
      endpoints:
      - lb_endpoints:
        - endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: 8002}}}}}}
""".splitlines()


def complaints(folder: Path, old: str, new: str) -> list[str]:
    """`line:column: message` of every mistake, with the first line that holds `old` exchanged for `new`.

    The line keeps its indentation and its number.
    """
    at = next(number for number, line in enumerate(LINES) if old in line)
    indent = " " * (len(LINES[at]) - len(LINES[at].lstrip()))
    text = "\n".join([*LINES[:at], indent + new, *LINES[at + 1 :]])
    problems = refused(folder, text, "proxy.yaml")
    return [f"{problem.line}:{problem.column}: {problem.message}" for problem in problems]
