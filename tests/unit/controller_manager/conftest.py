"""Every test of the controllers runs in virtual time, and with the detector of changes to caches."""

from kubewire.client.testing.pytest_plugin import mutation_detector, pytest_asyncio_loop_factories

__all__ = ["mutation_detector", "pytest_asyncio_loop_factories"]
