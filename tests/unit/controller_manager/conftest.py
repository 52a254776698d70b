"""Every test of the controllers runs in virtual time, and with the detector of changes to caches."""

import asyncio
from collections.abc import Callable, Mapping

from kubewire.client.testing.pytest_plugin import mutation_detector
from kubewire.client.testing.virtual_time import VirtualTimeLoop

__all__ = ["mutation_detector"]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Where pytest-asyncio takes the loops of this folder's tests from."""
    return {"virtual": VirtualTimeLoop}
