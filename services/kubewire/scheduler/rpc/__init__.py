"""The scheduler's own gRPC service."""
