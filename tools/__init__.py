"""Programs for developing Kubewire: they run at the desk and in CI, never in a cluster."""
