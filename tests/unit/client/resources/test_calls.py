"""Calls that a server had no room for are sent again when it says."""

import asyncio

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.machinery.errors import StatusError, too_many_requests
from tests.unit.client.objects import pod


async def test_a_turned_away_call_is_sent_again() -> None:
    """After the time the server asked for, writes too: nothing was done."""
    cluster = SimulatedCluster()
    link = Link(refusals=[too_many_requests("busy", 2), too_many_requests("busy", 2)])
    created = await cluster.client(link).resource(Pod).create(pod("a"))
    assert created.metadata.uid
    assert 4 <= asyncio.get_running_loop().time() <= 6


async def test_a_refusal_without_a_time_is_an_answer() -> None:
    """Such as that of an eviction a budget forbids."""
    link = Link(refusals=[too_many_requests("the disruption budget forbids it", 0)])
    with pytest.raises(StatusError):
        await SimulatedCluster().client(link).pods("default").evict("a")


async def test_the_deadline_holds() -> None:
    """A time beyond it is not waited for."""
    link = Link(refusals=[too_many_requests("busy", 60)])
    with pytest.raises(StatusError):
        await SimulatedCluster().client(link).pods("default").get("a")
    assert asyncio.get_running_loop().time() == 0
