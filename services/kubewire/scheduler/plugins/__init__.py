"""Filters and scores, one module each, under Kubernetes' names."""
