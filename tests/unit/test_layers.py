"""Imports never go upwards, and never round in a circle; both kinds count, import and cimport."""

from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support import source_tree

# From the bottom up. A module may import those of the rows before its own, and its neighbours in the same folder.
# A folder stands for all modules in it.
LAYERS: list[set[str]] = [
    {"fastproxy", "model_affinity", "model_balancing", "model_heads", "model_logs", "model_matching", "errors"},
    {"model_descriptors"},
    {"model_limits"},
    {"model_routes", "model_listeners", "model_overload"},
    {"model_dns", "model_health"},
    {"model_clusters"},
    {"model"},
    {"model_codec", "_ring_sort"},
    {
        "syscalls",
        "slices",
        "draws",
        "counters",
        "logs",
        "limits",
        "process_memory",
        "process_rights",
        "_ring",
        "_sip_hash",
        "_session_words",
    },
    {
        "log_format",
        "log_file",
        "overload",
        "regexes",
        "_session_buckets",
        "_session_hosts",
        "json_members",
        "inflation",
        "websocket_keys",
    },
    {"addresses", "timers", "http1", "bodies", "frames", "payloads", "affinity", "_session_slots"},
    {
        "_maglev",
        "edf",
        "active_requests",
        "circuit_breakers",
        "host_sets",
        "host_predicates",
        "previous_priorities",
        "open_packets",
        "head_guard",
    },
    {"token_buckets", "keyed_buckets", "live_counts", "tunnel_meters", "connection_gates"},
    {"limit_tables"},
    {"balancing", "bounded_load"},
    {"hash_balancing", "priorities"},
    {"balancers"},
    {"_sessions", "stamps", "response_flags", "log_record", "log_text"},
    {"session_placement", "log_operations", "head_fields", "head_spelling"},
    {"log_filter"},
    {"dns_queries", "lookup_threads", "refresh_rates"},
    {"scopes", "breaker_stats", "limit_words"},
    {"stats", "control", "listeners", "resolver", "options"},
    {"request_facts", "connections", "heads", "admission", "client_address", "referer", "access_log", "shared_memory"},
    {"request_values"},
    {"issued_ids"},
    {"affinity_policy", "hash_policies", "path_normalization"},
    {"hashing"},
    {"handovers", "listening", "overload_watch"},
    {"generation"},
    {"session_stats"},
    {"health"},
    {"slow_readers"},
    {"upstream", "tunnel", "sent_requests", "status", "path_matching", "domains", "filter_chains"},
    {"matching", "rewriting", "host_watch", "pools"},
    {"retry_policies"},
    {"cors", "origins", "redirects", "header_rules", "tcp_proxy", "connection_buckets"},
    {"request_texts"},
    {"descriptors"},
    {"local_rate_limits"},
    {"filter_state", "traffic_limits"},
    {"routing"},
    {"reply_mapping"},
    {"runtime", "route_explanation"},
    {"mutation"},
    {"exchange"},
    {"accepting"},
    {"engine", "inspection", "explanation"},
    {"config"},
    {"admin", "worker", "worker_process"},
    {"loader", "lookups", "crew", "privileges"},
    {"announcements"},
    {"reload", "membership"},
    {"supervisor"},
    {"changes"},
    {"commands"},
    {"cli"},
    {"__main__"},
]
# What everything else is built on knows nothing of ours but itself.
ALONE = {
    "fastproxy.model_affinity",
    "fastproxy.model_balancing",
    "fastproxy.model_heads",
    "fastproxy.model_logs",
    "fastproxy.model_matching",
    "fastproxy.errors",
}


def rank(module: str) -> int:
    """The row that a module stands in; KeyError when it stands in none."""
    parts = module.split(".")
    name = parts[1] if len(parts) > 1 else parts[0]
    for row, names in enumerate(LAYERS):
        if name in names:
            return row
    raise KeyError(f"{module} has no place in LAYERS")


def graph(package: Path | None = None) -> dict[str, set[str]]:
    found = source_tree.modules(package)
    return {name: source_tree.imports(name, paths, set(found)) for name, paths in found.items()}


def upward(edges: dict[str, set[str]]) -> list[str]:
    """Imports that do not go down, neighbours in one folder left out."""
    return [
        f"{name} imports {target}"
        for name, targets in edges.items()
        for target in sorted(targets)
        if rank(target) >= rank(name) and not are_neighbours(name, target)
    ]


def are_neighbours(name: str, target: str) -> bool:
    """Whether both are in the same folder below the package, or are that folder."""
    folders = [each.split(".")[1] for each in (name, target) if each.count(".")]
    return len(folders) == 2 and folders[0] == folders[1]


def test_every_module_has_a_place():
    for name in source_tree.modules():
        assert rank(name) >= 0


def test_imports_never_go_upwards():
    assert upward(graph()) == []


def test_no_circle_inside_a_folder():
    edges = {name: targets - {"fastproxy"} for name, targets in graph().items()}
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]), pytrace=False)


def test_the_ground_floor_imports_nothing_of_ours():
    edges = graph()
    assert {name: edges[name] - ALONE for name in ALONE} == {name: set() for name in ALONE}


@pytest.mark.parametrize(
    ("file_name", "line"),
    [
        ("model.py", "import fastproxy.cli"),
        ("model.py", "from fastproxy.cli import main"),
        ("model.py", "from fastproxy import cli"),
        ("model.py", "from . import cli as c"),
        ("model.py", "def late():\n    from .cli import (\n        main,\n    )"),
        ("_ring.pyx", "cimport fastproxy.cli"),
        ("_ring.pyx", "from fastproxy.cli cimport main"),
        ("_ring.pyx", "from . cimport (\n    model,  # fine\n    cli,  # not\n)"),
        ("_ring.pxd", "from libc.stdint cimport uint64_t\nfrom .cli cimport main"),
    ],
)
def test_an_import_upwards_is_seen(tmp_path, file_name, line):
    package = tmp_path / "fastproxy"
    package.mkdir()
    for each in ("__init__.py", "model.py", "cli.py"):
        (package / each).touch()
    (package / file_name).write_text(line + "\n")
    module = f"fastproxy.{file_name.split('.')[0]}"
    assert upward(graph(package)) == [f"{module} imports fastproxy.cli"]


def test_an_import_from_a_folder_is_seen(tmp_path):
    folder = tmp_path / "fastproxy" / "config"
    folder.mkdir(parents=True)
    (tmp_path / "fastproxy" / "cli.py").touch()
    (folder / "__init__.py").write_text("from .v1 import load\n")
    (folder / "v1.py").write_text("from .. import cli\n")
    edges = graph(tmp_path / "fastproxy")
    assert edges["fastproxy.config"] == {"fastproxy.config.v1"}
    assert upward(edges) == ["fastproxy.config.v1 imports fastproxy.cli"]
