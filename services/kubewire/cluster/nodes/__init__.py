"""The machines of a local cluster: network namespaces on one bridge, each with a containerd of its own."""
