"""The controller-manager: the loops that move what there is in the cluster towards what was asked for."""
