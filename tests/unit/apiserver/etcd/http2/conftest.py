"""A connection and the peer at its other end."""

import pytest

from kubewire.apiserver.etcd.http2.connection import Connection
from tests.unit.apiserver.etcd.http2.peer import Peer


@pytest.fixture
async def peer() -> Peer:
    """A peer that has greeted and been greeted: calls can be made."""
    other = Peer(Connection(10, 5))
    await other.greet()
    return other
