"""Kubernetes' rules about what an object may hold, as pure functions from messages to field errors."""
