"""Probes the containers of this node.

A container that waits for its next probe costs a timer and no task; tasks live for one probe each, in one group. All
that is decided is in `decision`; here are the clock, the tasks and who is told.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.clock import running_clock
from kubewire.client.events.occurrence import Subject, subject_of
from kubewire.component.log import Logger
from kubewire.kubelet.contracts import RunningContainer, Verdict
from kubewire.kubelet.environment.containers import container_of, containers_of
from kubewire.kubelet.probes.checks import Check
from kubewire.kubelet.probes.decision import early_wait, verdict_of
from kubewire.kubelet.probes.metrics import UNKNOWN, ProbeMetrics
from kubewire.kubelet.probes.reply import Outcome, ProbeError, Reply
from kubewire.kubelet.probes.spec import ProbeKind
from kubewire.kubelet.probes.subject import ProbedContainer, Series

_LOG: Final = Logger("kubelet.probes")

UNHEALTHY: Final = "Unhealthy"
PROBE_WARNING: Final = "ProbeWarning"
"""Reasons of events."""

MESSAGE_AT_MOST: Final = 1024
"""Characters of an event's message."""

TRIES: Final = 3
"""A probe that cannot be made is tried this often, at once, before it counts as not made."""


class Recorder(Protocol):
    """Tells people (`client.events.recorder.EventRecorder`)."""

    def warning(self, about: Subject, reason: str, message: str) -> None:
        """Something is not as it should be."""
        ...


class Surroundings(NamedTuple):
    """What probing needs besides probes.

    Attributes:
        turned: told the uid of a pod of which a verdict is another now.
        wall_clock: seconds since the epoch, which containers' starts are dated with.
        uniform: chance, from 0 to 1.
    """

    turned: Callable[[str], None]
    recorder: Recorder
    metrics: ProbeMetrics
    wall_clock: Callable[[], float] = time.time
    uniform: Callable[[], float] = random.random


class PodProber:
    """Probes of all pods of this node (`contracts.Prober`). Make it inside a running loop, and run it once."""

    def __init__(self, check: Check, around: Surroundings) -> None:
        self._check = check
        self._around = around
        self._began_at = around.wall_clock()
        self._loop = asyncio.get_running_loop()
        self._clock = running_clock()
        self._pods: dict[str, dict[str, ProbedContainer]] = {}
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Make probes until cancelled; containers may be told of before."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                for probed in self._all():
                    self._schedule(probed)
                await self._loop.create_future()
            finally:
                self._group = None
                for probed in self._all():
                    probed.stop()

    def sync(self, pod: Pod, running: Mapping[str, RunningContainer], pod_ip: str) -> None:
        """Probe exactly these containers of the pod, by name; a new id starts anew, what is missing is not probed."""
        known = self._pods.setdefault(pod.metadata.uid, {})
        for name in [name for name in known if name not in running or known[name].running.id != running[name].id]:
            # Its metrics go on: the container that takes its place has the same.
            known.pop(name).stop()
        for container in containers_of(pod):
            if container.name in running and container.name not in known:
                now = running[container.name]
                is_inherited = now.started_at < self._began_at
                known[container.name] = ProbedContainer(pod, container, now, pod_ip, is_inherited)
        for probed in known.values():
            probed.pod, probed.pod_ip = pod, pod_ip
            self._schedule(probed)

    def verdict(self, pod: Pod, container: str, container_id: str) -> Verdict:
        """What is known of a container; of one that was not told of yet, that nothing is."""
        probed = self._pods.get(pod.metadata.uid, {}).get(container)
        if probed is None or probed.running.id != container_id:
            running = RunningContainer(container, container_id, self._around.wall_clock())
            probed = ProbedContainer(pod, container_of(pod, container), running, "", is_inherited=False)
        return verdict_of(container, probed.histories)

    def forget(self, pod_uid: str) -> None:
        """Stop probing the pod."""
        for probed in self._pods.pop(pod_uid, {}).values():
            probed.stop()
        self._around.metrics.forget(pod_uid)

    def _all(self) -> list[ProbedContainer]:
        return [probed for containers in self._pods.values() for probed in containers.values()]

    def _schedule(self, probed: ProbedContainer) -> None:
        """Put the probes that are due on the clock, and take those off that are not."""
        if self._group is None:
            return
        for kind, series in probed.series.items():
            if not probed.is_due(kind):
                series.stop()
            elif series.timer is None and series.task is None:
                first = self._clock() + self._first_wait(probed, series)
                series.early_until = first + series.history.spec.period
                self._set(probed, series, first)

    def _first_wait(self, probed: ProbedContainer, series: Series) -> float:
        """Seconds until a container's first probe: at once when it may be.

        A kubelet that was started anew finds many containers at once: their probes are spread over a period each.
        """
        spec = series.history.spec
        if probed.is_inherited:
            return spec.period * self._around.uniform()
        since = max(0.0, self._around.wall_clock() - probed.running.started_at)
        return max(0.0, spec.initial_delay - since)

    def _set(self, probed: ProbedContainer, series: Series, due: float) -> None:
        series.due = due
        # The loop's own clock may count whole milliseconds: only distances go from one clock to the other.
        series.timer = self._loop.call_later(max(0.0, due - self._clock()), self._begin, probed, series)

    def _begin(self, probed: ProbedContainer, series: Series) -> None:
        series.timer = None
        if self._group is not None:
            series.task = self._group.create_task(self._probe(probed, series))

    async def _probe(self, probed: ProbedContainer, series: Series) -> None:
        """Make one probe, and draw what follows from it."""
        began = self._clock()
        try:
            reply = await self._made(probed, series)
        finally:
            # One that was stopped may have a successor already.
            if series.task is asyncio.current_task():
                series.task = None
        now = self._clock()
        if reply is not None:
            wait = early_wait(series.history, reply, series.looks, series.early_until - now)
            if wait is not None:
                series.looks += 1
                self._set(probed, series, now + wait)
                return
            self._take(probed, series, reply)
        self._around.metrics.made(series.probed, UNKNOWN if reply is None else reply.outcome, now - began)
        self._go_on(probed, series)

    def _go_on(self, probed: ProbedContainer, series: Series) -> None:
        """Put the next probe on the clock; ticks keep their distance, one that was missed is made up for at once."""
        if probed.is_due(series.history.spec.kind) and series.timer is None:
            self._set(probed, series, max(series.due + series.history.spec.period, self._clock()))

    async def _made(self, probed: ProbedContainer, series: Series) -> Reply | None:
        """The reply; None if the probe could not be made, which is told and counts neither way."""
        spec, failed = series.history.spec, ""
        for _ in range(TRIES):
            try:
                return await self._check(spec, probed.target)
            except ProbeError as error:
                failed = str(error)
        self._tell(probed, UNHEALTHY, f"{spec.kind} probe could not be made: {failed}")
        return None

    def _take(self, probed: ProbedContainer, series: Series, reply: Reply) -> None:
        kind = series.history.spec.kind
        if reply.outcome is Outcome.FAILURE:
            self._tell(probed, UNHEALTHY, f"{kind} probe failed: {reply.output}")
        elif reply.warning:
            self._tell(probed, PROBE_WARNING, f"{kind} probe warning: {reply.output}")
        if not series.history.take(reply.outcome):
            return
        _LOG.debug("probe turned", pod=series.probed.pod, container=probed.container.name, kind=kind, to=reply.outcome)
        if kind is ProbeKind.STARTUP:
            # Those that waited for the start are due now.
            self._schedule(probed)
        self._around.turned(probed.pod.metadata.uid)

    def _tell(self, probed: ProbedContainer, reason: str, message: str) -> None:
        about = subject_of(probed.pod, _field_path(probed.pod, probed.container.name))
        self._around.recorder.warning(about, reason, message[:MESSAGE_AT_MOST])


def _field_path(pod: Pod, container: str) -> str:
    """Which container of a pod an event is about."""
    is_init = any(init.name == container for init in pod.spec.initContainers)
    return f"spec.{'initContainers' if is_init else 'containers'}{{{container}}}"
