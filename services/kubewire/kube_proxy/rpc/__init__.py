"""kube-proxy's own gRPC service."""
