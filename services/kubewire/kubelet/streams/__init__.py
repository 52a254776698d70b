"""Logs, commands, terminals and ports of this node's pods, as streams over gRPC; the API server is the caller."""
