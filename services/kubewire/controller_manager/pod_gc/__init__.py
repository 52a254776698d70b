"""Pods that nobody else would remove: of nodes that are gone, never assigned, or ended long ago."""
