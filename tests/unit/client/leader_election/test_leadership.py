"""Leadership: a term that ends by itself, and calls that end with it."""

import asyncio
from functools import partial

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.client.client import Client
from kubewire.client.leader_election.leadership import FencingToken, Leadership, NotLeading
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster

TOKEN = FencingToken("u", 1, "7")


def leadership(seconds: float) -> Leadership:
    """A term of so many seconds from now."""
    clock = asyncio.get_running_loop().time
    return Leadership("a", TOKEN, clock() + seconds, clock)


def config_map() -> ConfigMap:
    """Something to write."""
    made = ConfigMap()
    made.metadata.namespace, made.metadata.name = "default", "a"
    return made


async def test_a_term_ends_by_itself() -> None:
    """At its deadline, unless it is renewed."""
    term = leadership(10)
    await asyncio.sleep(9)
    assert term.remaining_seconds == 1
    term.renewed(TOKEN._replace(resource_version="8"), 15)
    await asyncio.sleep(5)
    assert term.remaining_seconds == 1
    assert term.token.resource_version == "8"
    await asyncio.sleep(1)
    assert not term.is_valid
    with pytest.raises(NotLeading, match="a has not led"):
        term.check()


async def test_a_term_may_be_ended() -> None:
    """Nothing makes it longer then but a renewal."""
    term = leadership(10)
    term.end()
    assert not term.is_valid


async def test_no_write_is_sent_after_the_term() -> None:
    """The fenced transport refuses it; reads too, since they would be acted on."""
    cluster, term = SimulatedCluster(), leadership(10)
    maps = Client(term.fence(cluster.transport())).resource(ConfigMap)
    await maps.create(config_map())
    await asyncio.sleep(10)
    calls = len(cluster.calls)
    for call in (partial(maps.create, config_map()), partial(maps.in_namespace("default").get, "a")):
        with pytest.raises(NotLeading):
            await call()
    assert len(cluster.calls) == calls


async def test_no_write_outlasts_the_term() -> None:
    """A call that hangs ends with the term and not at its own deadline."""
    cluster, term, clock = SimulatedCluster(), leadership(10), asyncio.get_running_loop().time
    maps = Client(term.fence(cluster.transport(Link(hangs=True))), timeout_seconds=60).resource(ConfigMap)
    with pytest.raises(NotLeading):
        await maps.create(config_map())
    assert clock() == 10
