"""Tests: unit/ and property/ per module, proxy/ on raw sockets, e2e/ with real clients, packaging/ on the wheel."""
