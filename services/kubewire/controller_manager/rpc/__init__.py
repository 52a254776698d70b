"""The controller-manager's own gRPC service."""
