"""The aggregator against the simulated cluster."""

import asyncio

from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.controller_manager.cluster_role_aggregation.controller import ClusterRoleAggregator
from tests.unit.controller_manager.cluster_role_aggregation.test_plan import aggregated, role, verbs_of
from tests.unit.controller_manager.running import context_of, now, running


def verbs(cluster: SimulatedCluster) -> list[str] | None:
    """Those of the aggregated role."""
    return verbs_of(cluster.get(ClusterRole, "whole"))


async def test_it_follows_the_parts() -> None:
    """When they come, change, lose their label and go."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(aggregated("part=yes"))
    cluster.add(role("a", "get", part="yes"))
    client = cluster.client().resource(ClusterRole)
    async with running(ClusterRoleAggregator, context_of(cluster)):
        await asyncio.sleep(10)
        assert verbs(cluster) == ["get"]
        await client.create(role("b", "list", part="yes"))
        await asyncio.sleep(10)
        assert verbs(cluster) == ["get", "list"]
        await client.update(role("a", "watch", part="no"))
        await asyncio.sleep(10)
        assert verbs(cluster) == ["list"]
        await client.delete("b")
        await asyncio.sleep(10)
        assert verbs(cluster) == []


async def test_others_change_of_it_is_undone() -> None:
    """Its rules are not its author's."""
    cluster = SimulatedCluster(wall_clock=now)
    cluster.add(aggregated("part=yes"))
    cluster.add(role("a", "get", part="yes"))
    async with running(ClusterRoleAggregator, context_of(cluster)):
        await asyncio.sleep(10)
        await cluster.client().resource(ClusterRole).update(aggregated("part=yes", verbs=("delete",)))
        await asyncio.sleep(10)
    assert verbs(cluster) == ["get"]
