"""Every server a client may have behind it."""

from collections.abc import AsyncIterator

import pytest

from kubewire.client.client import Client
from kubewire.client.testing.simulated_cluster import SimulatedCluster


@pytest.fixture(params=["simulated"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of an empty cluster, one implementation after the other."""
    assert request.param == "simulated"
    client = SimulatedCluster().client()
    yield client
    await client.transport.close()
