"""fastproxy: a front proxy for clusters of stateful WebSocket servers that reads Envoy's configuration files."""

__version__ = "0.1.0"
