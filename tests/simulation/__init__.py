"""Many sessions, nodes and edge hosts in one process: what cannot be run for real."""
