"""Scenarios of the client run in virtual time."""

import asyncio
from collections.abc import Callable, Mapping

from kubewire.client.testing.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Where pytest-asyncio takes the loops of this folder's tests from."""
    return {"virtual": VirtualTimeLoop}
