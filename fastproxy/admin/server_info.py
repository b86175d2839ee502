"""`/server_info`: version, state, age and command line."""

import json
import time

from fastproxy import __version__
from fastproxy.admin.reply import JSON, Query, Reply
from fastproxy.status import Status


def server_info(status: Status, query: Query) -> Reply:
    options = status.options
    uptime = f"{status.uptime_s}s"
    info = {
        "version": f"fastproxy/{__version__}",
        "state": status.state.name,
        "uptime_current_epoch": uptime,
        "uptime_all_epochs": uptime,
        "command_line_options": {
            "concurrency": options.concurrency,
            "config_path": options.config_path,
            "log_level": options.log_level,
            "service_cluster": options.service_cluster,
            "service_node": options.service_node,
            "mode": "Serve",
        },
        "configuration": {
            "generation": status.reloads.generation,
            "loaded_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(status.reloads.loaded_at)),
            "last_reload_error": status.reloads.last_error,
        },
        "node": {
            "id": options.service_node,
            "cluster": options.service_cluster,
            "user_agent_name": "fastproxy",
        },
    }
    return Reply(json.dumps(info, indent=1) + "\n", content_type=JSON)
