"""Performs an election on a Lease, and runs the leader's work for as long as it leads."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from kubewire.api.coordination.v1.lease_pb2 import Lease
from kubewire.client import log
from kubewire.client.clock import running_clock
from kubewire.client.leader_election.config import ElectionConfig
from kubewire.client.leader_election.election import Action, Create, Election, Read, StepDown, Update, Wait
from kubewire.client.leader_election.leadership import FencingToken, Leadership
from kubewire.client.leader_election.metrics import ElectionMetrics
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.machinery.errors import Reason, StatusError

_LOG: Final = logging.getLogger(f"{log.NAME}.leader_election")

_SHORTEST_WAIT_SECONDS: Final = 0.001
"""Clocks are read with rounding errors; a wait as short as one would be no wait."""

Work = Callable[[Leadership], Awaitable[None]]
"""What the leader does, until it is cancelled."""


class LeadershipLost(Exception):
    """The lease could not be renewed in time. The work has been cancelled and has ended; run for election again."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Clocks, chance and metrics of an elector."""

    clock: Callable[[], float] = time.monotonic
    """Only goes forward; `running_clock()` follows virtual time."""

    wall_clock: Callable[[], float] = time.time
    """The time of day, for people who read the Lease."""

    uniform: Callable[[], float] = random.random
    metrics: ElectionMetrics = field(default_factory=ElectionMetrics)


class LeaderElector:
    """One candidate for the lease `name` in the namespace of `leases`.

    `identity` must be unique among all candidates that ever run: host name, process and something random.
    """

    def __init__(
        self,
        leases: ResourceClient[Lease],
        name: str,
        identity: str,
        config: ElectionConfig = ElectionConfig(),  # noqa: B008 - frozen
        surroundings: Surroundings | None = None,
    ) -> None:
        self._leases = leases
        self._name = name
        self._config = config
        self._around = surroundings or Surroundings(clock=running_clock())
        self._identity = identity
        self._seen_holder = ""

    @property
    def holder(self) -> str:
        """Who leads, as last seen; empty before that, and when nobody does."""
        return self._seen_holder

    async def run(self, lead: Work) -> None:
        """Wait for the lead, then run `lead`, and keep the lead meanwhile. Returns when `lead` returns.

        Cancelling gives the lease up after `lead` has ended, so that the next candidate takes over at once.

        Raises:
            LeadershipLost: the lead was lost; `lead` was cancelled before anybody else could lead.
        """
        election = Election(
            self._leases.namespace, self._name, self._identity, self._config, uniform=self._around.uniform
        )
        leadership = await self._acquire(election)
        self._around.metrics.leads(self._name, is_leading=True)
        try:
            await self._keep_while(election, leadership, lead)
        finally:
            leadership.end()
            self._around.metrics.leads(self._name, is_leading=False)
            await self._release(election)

    async def _acquire(self, election: Election) -> Leadership:
        while not election.is_leading:
            await self._perform(election, election.plan(self._around.clock(), self._around.wall_clock()))
        _LOG.info("leading", extra=log.keys(lease=self._name, identity=self._identity))
        return Leadership(self._identity, _token(election), election.deadline, self._around.clock)

    async def _keep_while(self, election: Election, leadership: Leadership, lead: Work) -> None:
        """Run the work beside the renewals."""
        try:
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(self._keep(election, leadership))
                await lead(leadership)
                keeper.cancel()
        except BaseExceptionGroup as failures:
            _raise_one(failures)

    async def _keep(self, election: Election, leadership: Leadership) -> None:
        while True:
            slow = election.slow_renewals
            action = election.plan(self._around.clock(), self._around.wall_clock())
            self._around.metrics.slow_path(self._name, election.slow_renewals - slow)
            if isinstance(action, StepDown):
                leadership.end()
                _LOG.warning("lead lost", extra=log.keys(lease=self._name, identity=self._identity, why=action.why))
                raise LeadershipLost(f"{self._identity} lost the lease {self._name}: {action.why}")
            await self._perform(election, action)
            if not isinstance(action, Wait):
                leadership.renewed(_token(election), election.deadline)

    async def _perform(self, election: Election, action: Action) -> None:
        if isinstance(action, Wait):
            await asyncio.sleep(max(action.seconds, _SHORTEST_WAIT_SECONDS))
            return
        try:
            await self._call(election, action)
        except StatusError as error:
            election.failed(self._around.clock())
            keys = log.keys(lease=self._name, identity=self._identity, reason=error.reason, why=str(error))
            _LOG.log(logging.WARNING if election.is_leading else logging.DEBUG, "lease not written", extra=keys)
        self._note_holder(election.holder)

    async def _call(self, election: Election, action: Action) -> None:
        clock = self._around.clock
        match action:
            case Read(timeout):
                try:
                    lease = await self._leases.with_timeout(timeout).get(self._name)
                except StatusError as error:
                    if error.reason != Reason.NOT_FOUND:
                        raise
                    election.missing()
                else:
                    election.found(lease, clock())
            case Create(lease, timeout):
                election.written(await self._leases.with_timeout(timeout).create(lease), clock())
            case Update(lease, timeout):
                election.written(await self._leases.with_timeout(timeout).update(lease), clock())

    async def _release(self, election: Election) -> None:
        released = election.release(self._around.wall_clock())
        if released is None or not self._config.release_on_cancel:
            return
        try:
            await self._leases.with_timeout(self._config.retry_seconds).update(released)
        except StatusError as error:
            # The lease runs out by itself.
            _LOG.info("lease not released", extra=log.keys(lease=self._name, why=str(error)))
        else:
            _LOG.info("lease released", extra=log.keys(lease=self._name, identity=self._identity))

    def _note_holder(self, holder: str) -> None:
        if holder != self._seen_holder:
            self._seen_holder = holder
            _LOG.info("new leader", extra=log.keys(lease=self._name, leader=holder))


def _token(election: Election) -> FencingToken:
    lease = election.lease
    if lease is None:
        return FencingToken("", 0, "")
    metadata = lease.metadata
    return FencingToken(metadata.uid, lease.spec.leaseTransitions, metadata.resourceVersion)


def _raise_one(failures: BaseExceptionGroup[BaseException]) -> NoReturn:
    """The failure itself where there is one only; the lost lead is told beside others."""
    if len(failures.exceptions) == 1:
        raise failures.exceptions[0]
    raise failures
