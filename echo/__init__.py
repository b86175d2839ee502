"""The Socket.IO cluster of the examples: small nodes that say who they are in every reply."""
