"""Whether hosts are well: active checks, and outlier detection by what the workers see.

`checks` and `outliers` decide and know neither clocks nor sockets; the probes ask hosts; `checker` has the hosts of one
cluster asked in time; `health` is what the supervisor sees of all that.
"""
