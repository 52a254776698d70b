"""Elections under trouble: candidates lose the server, answers vanish, clocks are off; never do two act at once."""

import asyncio
from contextlib import suppress
from functools import partial
from random import Random

import pytest

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client.leader_election.elector import LeaderElector, LeadershipLost, Surroundings
from kubewire.client.leader_election.leadership import Leadership
from kubewire.client.testing.link import Link
from kubewire.client.testing.simulated_cluster import SimulatedCluster

CANDIDATES = 3
TROUBLE_SECONDS = 600
CLOCK_RATE = 0.1
"""Clocks run up to a tenth faster or slower than they should: 15 s of lease against 10 s to renew bear a third."""


class Watchman:
    """Notes who acts, and whether anybody else did at the same time."""

    def __init__(self) -> None:
        self.acting: set[str] = set()
        self.terms: list[tuple[str, int]] = []
        self.acts = 0

    def begins(self, identity: str, leadership: Leadership) -> None:
        self.terms.append((leadership.token.lease_uid, leadership.token.transitions))
        self.acting.add(identity)
        assert self.acting == {identity}, f"{sorted(self.acting)} lead at once"

    def acts_now(self, identity: str, leadership: Leadership) -> None:
        if leadership.is_valid:
            self.acts += 1
            assert self.acting == {identity}, f"{identity} acts while {sorted(self.acting)} lead"

    def ends(self, identity: str) -> None:
        self.acting.discard(identity)


class Candidate:
    """A process that runs for election, dies and starts anew."""

    def __init__(self, cluster: SimulatedCluster, name: str, random: Random, watchman: Watchman) -> None:
        self.link = Link()
        self._cluster = cluster
        self._name = name
        self._random = random
        self._watchman = watchman
        self._lives = 0

    async def live(self) -> None:
        """Run for election until cancelled, as a new process each time."""
        while True:
            self._lives += 1
            identity = f"{self._name}-{self._lives}"
            with suppress(LeadershipLost):
                await self._elector(identity).run(partial(self._lead, identity))

    def _elector(self, identity: str) -> LeaderElector:
        loop = asyncio.get_running_loop()
        rate = 1 + self._random.uniform(-CLOCK_RATE, CLOCK_RATE)
        offset = self._random.uniform(-1e6, 1e6)
        leases = self._cluster.client(self.link).resource(Lease, namespace="kube-system")
        surroundings = Surroundings(
            clock=lambda: loop.time() * rate, wall_clock=lambda: 1.7e9 + offset, uniform=self._random.random
        )
        return LeaderElector(leases, "leader", identity, surroundings=surroundings)

    async def _lead(self, identity: str, leadership: Leadership) -> None:
        self._watchman.begins(identity, leadership)
        try:
            for _ in range(self._random.randint(50, 2000)):
                self._watchman.acts_now(identity, leadership)
                await asyncio.sleep(0.1)
        finally:
            self._watchman.ends(identity)


async def make_trouble(link: Link, random: Random) -> None:
    """Break and mend a link, in all ways, until cancelled."""
    try:
        while True:
            await asyncio.sleep(random.expovariate(1 / 20))
            match random.choice(["down", "hangs", "loses", "slow"]):
                case "down":
                    link.take_down()
                case "hangs":
                    link.hangs = True
                case "loses":
                    link.loses_answers = True
                case "slow":
                    link.latency_seconds = random.uniform(0, 6)
            await asyncio.sleep(random.expovariate(1 / 10))
            mend(link)
    finally:
        mend(link)


def mend(link: Link) -> None:
    """Let everything through."""
    link.is_up, link.hangs, link.loses_answers, link.latency_seconds = True, False, False, 0.0


@pytest.mark.parametrize("seed", range(20))
async def test_one_at_a_time(seed: int) -> None:
    """At most one candidate acts at any time, terms are numbered upwards, and without trouble somebody leads."""
    random, cluster, watchman = Random(seed), SimulatedCluster(), Watchman()
    candidates = [Candidate(cluster, name, random, watchman) for name in "abc"[:CANDIDATES]]
    async with asyncio.TaskGroup() as group:
        lives = [group.create_task(candidate.live()) for candidate in candidates]
        troubles = [group.create_task(make_trouble(candidate.link, random)) for candidate in candidates]
        await asyncio.sleep(TROUBLE_SECONDS)
        for trouble in troubles:
            trouble.cancel()
        before = watchman.acts
        await asyncio.sleep(60)
        assert watchman.acts > before, "nobody leads although nothing is wrong"
        for life in lives:
            life.cancel()
    assert len(set(watchman.terms)) == len(watchman.terms) > 1
    assert watchman.terms == sorted(watchman.terms)
