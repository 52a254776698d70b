"""Who keeps a local cluster's processes running: a small process of its own, and what it decides."""
