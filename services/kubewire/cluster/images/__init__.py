"""Container images built here, because a registry may be out of reach, and their way into a node's containerd."""
