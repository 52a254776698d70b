"""Pods that wait to be scheduled, and when it is worth trying them again. Pure."""
