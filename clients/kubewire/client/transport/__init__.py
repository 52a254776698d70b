"""Bytes to an API server and back: `transport` is the seam, `grpc_transport` and `in_process` stand behind it."""
