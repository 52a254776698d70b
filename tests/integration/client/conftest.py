"""Tests of the client must leave caches as they are."""

from kubewire.client.testing.pytest_plugin import mutation_detector

__all__ = ["mutation_detector"]
