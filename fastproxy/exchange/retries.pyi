"""The tries of one request that its route may have sent again; Cython only."""
