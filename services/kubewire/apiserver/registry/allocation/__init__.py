"""What Services are given from pools the whole cluster shares: cluster IPs and node ports.

Both are taken by a guarded write, so that any number of API servers can allocate at once: an address by creating the
IPAddress object of its name, a port by setting its bit in one shared bitmap.
"""
