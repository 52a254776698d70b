"""kube-proxy: programs what Services promise into the kernel of its node."""
