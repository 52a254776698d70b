"""Kubernetes' forms of an object - JSON, YAML, protobuf, its storage envelope - and the ways from one to another."""
