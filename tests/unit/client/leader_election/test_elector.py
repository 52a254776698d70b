"""LeaderElector: the lead is kept, lost and handed over, and the work never runs twice at once."""

import asyncio

import pytest

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.leader_election.elector import LeaderElector, LeadershipLost, Surroundings
from kubewire.client.leader_election.leadership import Leadership
from kubewire.client.leader_election.metrics import ElectionMetrics
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster
from kubewire.component.metrics.registry import Registry
from tests.unit.client.running import running


class Candidate:
    """A candidate whose work notes when it begins and ends."""

    def __init__(self, cluster: SimulatedCluster, identity: str, *, slow_to_end: float = 0.0) -> None:
        self.link = Link()
        self.log: list[str] = []
        self.registry = Registry()
        self.term: Leadership | None = None
        self._slow_to_end = slow_to_end
        self._clock = asyncio.get_running_loop().time
        leases = cluster.client(self.link).resource(Lease, namespace="kube-system")
        surroundings = Surroundings(clock=self._clock, uniform=lambda: 0.5, metrics=ElectionMetrics(self.registry))
        self.elector = LeaderElector(leases, "scheduler", identity, surroundings=surroundings)

    async def run(self) -> None:
        """Run for election again and again."""
        while True:
            try:
                await self.elector.run(self._lead)
            except LeadershipLost as error:
                self.log.append(f"{round(self._clock(), 2):g} lost: {error}")

    async def _lead(self, leadership: Leadership) -> None:
        self.term = leadership
        self.log.append(f"{round(self._clock(), 2):g} leads")
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(self._slow_to_end)
            self.log.append(f"{round(self._clock(), 2):g} ends")


def lease(cluster: SimulatedCluster) -> Lease:
    """The lease."""
    found = cluster.get(Lease, "scheduler", "kube-system")
    assert found is not None
    return found


async def test_one_leads_and_keeps_the_lead() -> None:
    """The first one leads as long as it renews, whatever the second one does."""
    cluster = SimulatedCluster()
    a, b = Candidate(cluster, "a"), Candidate(cluster, "b")
    async with running(a.run(), b.run()):
        await asyncio.sleep(1000)
        assert (a.log, b.log) == (["0 leads"], [])
        assert b.elector.holder == "a"
        assert lease(cluster).spec.holderIdentity == "a"
        assert lease(cluster).spec.leaseDurationSeconds == 15


async def test_an_orderly_end_hands_the_lead_over() -> None:
    """The lease is released after the work has ended, and the next candidate does not wait for it to run out."""
    cluster = SimulatedCluster()
    a, b = Candidate(cluster, "a", slow_to_end=1), Candidate(cluster, "b")
    async with asyncio.TaskGroup() as group:
        first, second = group.create_task(a.run()), group.create_task(b.run())
        await asyncio.sleep(100)
        first.cancel()
        await asyncio.sleep(10)
        assert a.log == ["0 leads", "101 ends"]
        assert len(b.log) == 1
        assert lease(cluster).spec.leaseTransitions == 1
        second.cancel()
    assert lease(cluster).spec.holderIdentity == ""


async def test_a_leader_cut_off_stops_before_another_leads() -> None:
    """Its work has ended at the renew deadline; the other waits for the lease to run out."""
    cluster = SimulatedCluster()
    a, b = Candidate(cluster, "a"), Candidate(cluster, "b")
    async with running(a.run(), b.run()):
        await asyncio.sleep(100)
        a.link.hangs = True
        await asyncio.sleep(60)
        assert a.log[:3] == ["0 leads", "108 ends", "108 lost: a lost the lease scheduler: no renewal for 10 s"]
        assert float(b.log[0].split()[0]) > 113
        a.link.hangs = False
        await asyncio.sleep(60)
        assert len(a.log) == 3
        assert a.term is not None
        assert not a.term.is_valid


async def test_a_server_that_is_down_for_a_while_changes_nothing() -> None:
    """Seven seconds without a renewal are less than the deadline."""
    cluster = SimulatedCluster()
    a = Candidate(cluster, "a")
    async with running(a.run()):
        await asyncio.sleep(100)
        a.link.take_down()
        await asyncio.sleep(5)
        a.link.is_up = True
        await asyncio.sleep(100)
        assert a.log == ["0 leads"]


async def test_lost_answers_are_no_lost_renewals() -> None:
    """A renewal that was done although its answer was lost is found by reading, and the lead goes on."""
    cluster = SimulatedCluster()
    a = Candidate(cluster, "a")
    async with running(a.run()):
        await asyncio.sleep(100)
        a.link.loses_answers = True
        await asyncio.sleep(5)
        a.link.loses_answers = False
        await asyncio.sleep(100)
        assert a.log == ["0 leads"]
        assert b'leader_election_slowpath_total{name="scheduler"}' in a.registry.render()


async def test_the_token_follows_the_lease() -> None:
    """It names the lease, the term and the last renewal."""
    cluster = SimulatedCluster()
    a = Candidate(cluster, "a")
    async with running(a.run()):
        await asyncio.sleep(100.5)
        assert a.term is not None
        stored = lease(cluster)
        assert a.term.token == (stored.metadata.uid, 0, stored.metadata.resourceVersion)
        assert a.term.is_valid


async def test_the_end_of_the_work_is_the_end_of_the_term() -> None:
    """run returns when the work does, and gives the lease up."""
    cluster = SimulatedCluster()
    a = Candidate(cluster, "a")

    async def lead(_: Leadership) -> None:
        await asyncio.sleep(30)

    await a.elector.run(lead)
    assert asyncio.get_running_loop().time() == 30
    assert lease(cluster).spec.holderIdentity == ""


async def test_a_failure_of_the_work_is_told_as_it_is() -> None:
    """Not wrapped, and the lease is given up."""
    cluster = SimulatedCluster()
    a = Candidate(cluster, "a")

    async def lead(_: Leadership) -> None:
        await asyncio.sleep(30)
        raise KeyError("x")

    with pytest.raises(KeyError):
        await a.elector.run(lead)
    assert lease(cluster).spec.holderIdentity == ""


async def test_who_leads_is_measured() -> None:
    """1 for the leader, 0 after it has ended."""
    cluster = SimulatedCluster()
    a = Candidate(cluster, "a")
    async with running(a.run()):
        await asyncio.sleep(10)
        assert b'leader_election_master_status{name="scheduler"} 1' in a.registry.render()
    assert b'leader_election_master_status{name="scheduler"} 0' in a.registry.render()
