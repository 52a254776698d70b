"""SPDY/3.1, as far as Kubernetes' streams still stand on it: framing without I/O, and sessions over anything."""
