"""Startup, readiness and liveness probes: making them, and what follows from their results."""
