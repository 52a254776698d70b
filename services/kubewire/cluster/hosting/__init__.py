"""Several components in one process: a cluster's control plane, or a node's agents."""
