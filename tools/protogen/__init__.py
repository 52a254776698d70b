"""Generator of the typed services in `protos/kubewire/rpc` from the resource table."""
