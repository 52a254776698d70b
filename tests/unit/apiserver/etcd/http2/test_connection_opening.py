"""How a connection opens: the greeting, and peers that speak otherwise or not at all."""

from __future__ import annotations

import pytest

from kubewire.apiserver.etcd.http2 import frames
from kubewire.apiserver.etcd.http2.calls import NotSent, framed
from kubewire.apiserver.etcd.http2.connection import RECEIVE_WINDOW, Connection
from tests.unit.apiserver.etcd.http2.peer import Peer, goaway


async def test_greeting() -> None:
    """The preface comes first, then our settings; calls can be made once the peer's have come, which are confirmed."""
    peer = Peer(Connection(10, 5))
    assert peer.transport.written.startswith(frames.PREFACE)
    ours, window = await peer.heard()
    values = frames.read_settings(ours.payload)
    assert values[frames.SETTING_HEADER_TABLE_SIZE] == values[frames.SETTING_ENABLE_PUSH] == 0
    assert values[frames.SETTING_INITIAL_WINDOW_SIZE] == RECEIVE_WINDOW
    assert (window.type, window.stream) == (frames.WINDOW_UPDATE, 0)
    assert not peer.takes_calls()
    with pytest.raises(NotSent):
        peer.connection.start(b"block", framed(b"data"), is_last=True)
    peer.say(frames.settings({}))
    assert peer.takes_calls()
    await peer.connection.opened()
    (confirmed,) = await peer.heard()
    assert (confirmed.type, confirmed.flags) == (frames.SETTINGS, frames.ACK)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", goaway(0), frames.frame(frames.PING, 0, 0, bytes(8))]
)
async def test_peers_that_speak_otherwise(said: bytes) -> None:
    """A peer whose first words are no settings is found out before a call is made."""
    peer = Peer(Connection(10, 5))
    peer.say(said)
    with pytest.raises(ConnectionError, match="the peer broke HTTP/2"):
        await peer.connection.opened()
    assert not peer.connection.is_open


async def test_peers_that_hang_up() -> None:
    """A peer that closes before its settings came, as one does that misses our certificate, is found out likewise."""
    peer = Peer(Connection(10, 5))
    peer.connection.connection_lost(ConnectionResetError("certificate required"))
    with pytest.raises(ConnectionError, match="certificate required"):
        await peer.connection.opened()
