"""Streams over HTTP: logs as chunks, the rest over WebSockets, in the forms that Kubernetes' clients speak."""
