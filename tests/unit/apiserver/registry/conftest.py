"""Tests of this folder run in virtual time, on a registry over a store in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from kubewire.client.testing.virtual_time import VirtualTimeLoop
from tests.unit.apiserver.registry.cluster import Cluster, running


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Where pytest-asyncio takes the loops of this folder's tests from."""
    return {"virtual": VirtualTimeLoop}


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    """A registry with the namespaces `default` and `kube-system`."""
    async with running() as made:
        yield made
