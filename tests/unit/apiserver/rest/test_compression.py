"""Large answers are compressed for clients elsewhere."""

import pytest

from kubewire.apiserver.rest.compression import Compression
from tests.unit.apiserver.rest.fake_request import FakeRequest

GZIP = {"Accept-Encoding": "gzip, deflate"}


@pytest.mark.parametrize(
    ("headers", "peer", "size", "expected"),
    [
        (GZIP, "192.0.2.7", 200_000, True),
        (GZIP, "192.0.2.7", 1000, False),
        ({}, "192.0.2.7", 200_000, False),
        (GZIP, "127.0.0.1", 200_000, False),
        (GZIP, "::1", 200_000, False),
        (GZIP, "", 200_000, False),
    ],
)
def test_who_gets_compressed_answers(headers: dict[str, str], peer: str, size: int, *, expected: bool) -> None:
    """Those who accept it, are not on this machine, and ask for much."""
    assert Compression().applies(FakeRequest(headers=headers, peer=peer), size) is expected


def test_local_clients_can_be_included() -> None:
    """For tests and for proxies on the same machine."""
    rule = Compression(includes_local=True)
    assert rule.applies(FakeRequest(headers=GZIP, peer="127.0.0.1"), 200_000)
