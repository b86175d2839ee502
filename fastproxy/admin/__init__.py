"""The admin interface: Envoy's paths, answered from what the supervisor knows."""
