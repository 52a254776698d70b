"""Every implementation of `Store`, on keys of the test's own."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.storage.etcd_store import EtcdStore
from kubewire.apiserver.storage.memory import MemoryStore
from kubewire.apiserver.storage.store import Store


@pytest.fixture(params=["memory", "etcd"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """One implementation after the other."""
    if request.param == "memory":
        yield MemoryStore()
        return
    client = EtcdClient(EtcdOptions(endpoints=(request.getfixturevalue("shared_etcd"),)))
    yield EtcdStore(client)
    await client.close()


@pytest.fixture
def prefix() -> bytes:
    """A prefix nobody else writes under."""
    return f"/conformance/{uuid4()}/".encode()
