"""Nodes that are not heard of: they are marked, and what they run is told to be not ready."""
