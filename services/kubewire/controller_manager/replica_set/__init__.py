"""ReplicaSets: as many pods of a template as were asked for."""
