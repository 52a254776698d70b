"""The kubelet's own gRPC service."""
