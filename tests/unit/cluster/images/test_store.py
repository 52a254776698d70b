"""Blobs in messages that containerd takes."""

import pytest

from kubewire.cluster.images.image import Blob
from kubewire.cluster.images.store import _CHUNK_BYTES, _pieces
from kubewire.containerd import content_pb2


@pytest.mark.parametrize("size", [0, 1, _CHUNK_BYTES - 1, _CHUNK_BYTES, _CHUNK_BYTES + 1, 3 * _CHUNK_BYTES])
async def test_pieces_make_the_whole(size: int) -> None:
    """Pieces follow each other without a gap, none is larger than containerd takes, and the last one alone commits."""
    blob = Blob("application/octet-stream", bytes(index % 251 for index in range(size)), ("sha256:a", "sha256:b"))
    pieces = [piece async for piece in _pieces(blob)]
    assert b"".join(piece.data for piece in pieces) == blob.content
    assert [piece.offset for piece in pieces] == list(range(0, max(size, 1), _CHUNK_BYTES))
    assert {(piece.total, piece.expected, piece.ref) for piece in pieces} == {
        (size, blob.digest, f"kubewire-{blob.digest}")
    }
    assert [piece.action for piece in pieces] == [content_pb2.WRITE] * (len(pieces) - 1) + [content_pb2.COMMIT]
    assert dict(pieces[-1].labels) == {
        "containerd.io/gc.ref.content.0": "sha256:a",
        "containerd.io/gc.ref.content.1": "sha256:b",
    }
