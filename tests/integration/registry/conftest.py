"""Registries over a real etcd: one, and a second one beside it as another API server would be."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kubewire.apiserver.etcd.client import EtcdClient
from kubewire.apiserver.etcd.options import EtcdOptions
from kubewire.apiserver.storage.etcd_store import EtcdStore
from tests.unit.apiserver.registry.cluster import Cluster, running


@asynccontextmanager
async def server(etcd: str) -> AsyncIterator[Cluster]:
    """A registry with a connection of its own."""
    client = EtcdClient(EtcdOptions(endpoints=(etcd,)))
    try:
        async with running(EtcdStore(client)) as cluster:
            yield cluster
    finally:
        await client.close()


@pytest.fixture
async def first(etcd: str) -> AsyncIterator[Cluster]:
    """One API server's registry."""
    async with server(etcd) as cluster:
        yield cluster


@pytest.fixture
async def second(etcd: str, first: Cluster) -> AsyncIterator[Cluster]:
    """Another one's, over the same etcd."""
    assert first is not None
    async with server(etcd) as cluster:
        yield cluster
