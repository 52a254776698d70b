"""Scenarios of the kubelet run in virtual time, and must leave caches as they are."""

from kubewire.client.testing.pytest_plugin import mutation_detector, pytest_asyncio_loop_factories

__all__ = ["mutation_detector", "pytest_asyncio_loop_factories"]
