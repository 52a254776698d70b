"""The story of an object as lines to read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kubewire.cli.tracing.gathering import gather
from kubewire.cli.tracing.story import Hop, Seen, story
from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.cluster.proxies import last_programmed

if TYPE_CHECKING:
    from kubewire.cluster.home import Home
    from kubewire.cluster.state import ClusterState


def trace(home: Home, state: ClusterState, namespace: str, name: str) -> list[str]:
    """The lines of a ReplicaSet's story.

    Raises:
        StatusError: it is not there.
    """
    options = GrpcOptions((state.settings.grpc,), ca_file=home.pki / "ca.crt", token_file=home.token)
    proxies = last_programmed(home, state.settings)

    async def ask() -> Seen:
        transport = GrpcTransport(options)
        try:
            return await gather(Client(transport), namespace, name, proxies)
        finally:
            await transport.close()

    return list(lines(story(asyncio.run(ask()))))


def lines(hops: Sequence[Hop]) -> Iterator[str]:
    """Milliseconds since the first hop, who, and what; `~` where only the second is known."""
    if not hops:
        return
    begun = hops[0].at
    day = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(begun))
    yield f"{'ms':>9}  {'who':<20} what (from {day}.{int(begun % 1 * 1000):03d})"
    for hop in hops:
        passed = f"{(hop.at - begun) * 1000:.1f}" if hop.is_exact else f"~{(hop.at - begun) * 1000:.0f}"
        yield f"{passed:>9}  {hop.who:<20} {hop.what}"
