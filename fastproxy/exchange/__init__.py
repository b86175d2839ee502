"""One request and its response: route, pick, connect, send, relay, log."""
