"""The node as the kubelet reports it: registration, Lease, status."""
