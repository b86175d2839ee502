"""`/server_info`."""

import json

import fastproxy
from fastproxy.admin.server_info import server_info
from tests.unit.admin_status import Server


def test_it_tells_version_state_age_and_options():
    server = Server()
    server.status.started_at = 100.0
    server.status.clock = lambda: 146.9
    info = json.loads(server_info(server.status, {}).text)
    assert info["version"] == f"fastproxy/{fastproxy.__version__}"
    assert (info["state"], info["uptime_current_epoch"], info["uptime_all_epochs"]) == ("LIVE", "46s", "46s")
    assert info["command_line_options"]["config_path"] == "envoy.json"
    assert info["node"] == {"id": "node-1", "cluster": "golden", "user_agent_name": "fastproxy"}
