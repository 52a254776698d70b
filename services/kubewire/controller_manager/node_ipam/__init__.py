"""Address ranges of nodes: each gets a part of the cluster's for its pods."""
