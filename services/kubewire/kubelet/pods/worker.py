"""One pod's worker: looks, decides, has things done side by side, and reports; again whenever something is different.

Nothing here waits. What takes time are jobs, one task each, owned by the group of all workers; a pod that is quiet
costs no task. While a job is under way, or until the runtime was looked at after it, its work is not begun again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol

from kubewire.api.core.v1.pod_pb2 import Pod, PodStatus
from kubewire.client.backoff import Backoff
from kubewire.client.cause import caused_by
from kubewire.component.log import Logger
from kubewire.kubelet.contracts import Prober, RunningContainer, Verdict
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.pods import actions
from kubewire.kubelet.pods.acting import Acting, Failed, Tools
from kubewire.kubelet.pods.container_status import CRASH_LOOP
from kubewire.kubelet.pods.decision import decide, is_ending
from kubewire.kubelet.pods.memory import Memory, Trouble
from kubewire.kubelet.pods.picture import Picture
from kubewire.kubelet.pods.status import Place, status_of
from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.runtime.observation import Observation

_LOG: Final = Logger("kubelet.pods")
_RETRY_FIRST_SECONDS: Final = 0.5
_RETRY_LIMIT_SECONDS: Final = 10.0
_PULL_SHOWN_SECONDS: Final = 1.0
"""How long ErrImagePull is reported before it is ImagePullBackOff."""
_ON_ITS_WAY_SECONDS: Final = 0.4
_RUNNING_SECONDS: Final = 0.05
CONFIG_ERROR: Final = "CreateContainerConfigError"
"""Why a container waits for an object that its variables name."""
_LOOKS: Final = (
    actions.CreateSandbox,
    actions.StartContainer,
    actions.KillContainer,
    actions.RemoveContainer,
    actions.StopSandbox,
    actions.RemoveSandbox,
    actions.RemoveRemains,
)
"""Acts after which the runtime is looked at."""


@dataclass(slots=True)
class _Job:
    action: actions.Action
    task: asyncio.Task[None]
    is_interruptible: bool = False
    has_asked_runtime: bool = False


class _Interruption:
    """Fills `acting.Interruption` for one job."""

    def __init__(self, job: _Job, see: Callable[[], Awaitable[None]]) -> None:
        self._job = job
        self._see = see

    async def allow(self) -> None:
        if self._job.has_asked_runtime:
            await self._see()
        self._job.is_interruptible = True

    def forbid(self) -> None:
        """What follows asks the runtime for something."""
        self._job.is_interruptible = False
        self._job.has_asked_runtime = True


class Owner(Protocol):
    """Whoever employs workers."""

    def release(self, uid: str) -> None:
        """The pod needs nothing of the node any more; told more than once."""
        ...

    def forget(self, uid: str) -> None:
        """Nothing is left of the pod."""
        ...


@dataclass(frozen=True, slots=True)
class Around:
    """What a worker needs beside the tools it acts with."""

    tools: Tools
    observation: Observation
    prober: Prober
    group: asyncio.TaskGroup
    place: Callable[[], Place]
    sync_seconds: float
    owner: Owner


class PodWorker:
    """The worker of one pod, by uid.

    Attributes:
        identity: which pod.
        pod: as the API server has it, or had it last; read-only.
        is_gone: the API server has it no longer.
        memory: what is remembered of it.
        look_at: when it looks again by itself, in seconds since the epoch; 0 if it waits for nothing.
        status: as it was reported last.
    """

    def __init__(self, identity: PodIdentity, pod: Pod, memory: Memory, around: Around, *, is_gone: bool) -> None:
        self.identity: Final = identity
        self.pod = pod
        self.is_gone = is_gone
        self.memory: Final = memory
        self.look_at = 0.0
        self.status = PodStatus()
        self._around = around
        self._acting = Acting(around.tools, memory)
        self._jobs: dict[str, _Job] = {}
        self._backoffs: dict[str, Backoff] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._is_asked = False
        self._is_started = False
        self._is_closed = False
        self._is_outdated = False
        self._crash_told: set[str] = set()

    @property
    def doing(self) -> list[str]:
        """Keys of the actions under way."""
        return list(self._jobs)

    def poke(self) -> None:
        """Look again soon; asking often costs one look."""
        if not self._is_asked:
            self._is_asked = True
            asyncio.get_running_loop().call_soon(self._look)

    def set_pod(self, pod: Pod) -> None:
        """The API server has another version."""
        before, now = self.pod.metadata, pod.metadata
        if before.labels != now.labels or before.annotations != now.annotations:
            # Files may show them.
            self._is_outdated = True
        self.pod = pod
        self.poke()

    def set_gone(self) -> None:
        """The API server has it no longer."""
        self.is_gone = True
        self.poke()

    def refresh_volumes(self) -> None:
        """What its files hold is out of date, or what volumes and variables wait for may have come."""
        self._is_outdated = True
        waiting = [name for name, one in self.memory.troubles.items() if one.reason == CONFIG_ERROR]
        for key in ("volumes", *(f"start {name}" for name in waiting)):
            self.memory.retry_at.pop(key, None)
        self.poke()

    def close(self) -> None:
        """Wait for nothing and begin nothing any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()

    def picture(self) -> Picture:
        """All there is to decide by, now."""
        return Picture(
            pod=self.pod,
            seen=self._around.observation.pod(self.identity),
            memory=self.memory,
            verdict=self._verdict,
            busy=self._jobs.keys(),
            now=self._around.tools.wall_clock(),
            sync_seconds=self._around.sync_seconds,
            is_gone=self.is_gone,
        )

    def _verdict(self, name: str, container_id: str) -> Verdict:
        return self._around.prober.verdict(self.pod, name, container_id)

    def _look(self) -> None:
        """One turn: never waits, and doing it twice is harmless."""
        self._is_asked = False
        if self._is_closed:
            return
        try:
            self._turn()
        except Exception as error:  # noqa: BLE001 - the supervisor of turns: one pod's mishap is not the node's
            _LOG.exception("a pod cannot be looked at", error, pod=self.identity.name)
            self._wait_until(0.0, -_RETRY_LIMIT_SECONDS)

    def _turn(self) -> None:
        if self._is_outdated and "volumes" not in self._jobs:
            # A job that is under way may have read what was there before: it is done once more after it.
            self._is_outdated = False
            if self.memory.volumes_at:
                self.memory.volumes_at = 1.0
        picture = self.picture()
        ending = is_ending(picture)
        if ending:
            self._begin_ending(picture)
        self._probe(picture)
        plan = decide(picture)
        for action in plan.actions:
            self._begin(action, picture)
        self._report(picture, ending=ending)
        self._wait_until(plan.look_at, picture.now)
        if self.memory.is_cleaned or self.status.phase in {"Succeeded", "Failed"}:
            self._around.owner.release(self.identity.uid)
        if self.is_gone and picture.seen.is_empty and self.memory.is_removed and not self._jobs:
            self._around.owner.forget(self.identity.uid)

    def _begin_ending(self, picture: Picture) -> None:
        if not self.memory.ending_at:
            self.memory.ending_at = picture.now
        for job in self._jobs.values():
            if job.is_interruptible:
                job.task.cancel()

    def _probe(self, picture: Picture) -> None:
        """Have exactly the running containers probed."""
        running = {one.name: RunningContainer(one.name, one.id, one.started_at) for one in picture.seen.running}
        if self.is_gone or not running:
            self._around.prober.forget(self.identity.uid)
            return
        if not self._is_started:
            self._is_started = True
            self._around.tools.metrics.starts.pod_start_seconds.observe(max(0.0, picture.now - self.memory.started_at))
        sandbox = picture.seen.ready_sandbox
        ips = sandbox.ips if sandbox is not None and sandbox.ips else self._around.tools.host_ips()
        names = picture.specs.by_name()
        known = {name: one for name, one in running.items() if name in names}
        self._around.prober.sync(self.pod, known, ips[0] if ips else "")

    def _report(self, picture: Picture, *, ending: bool) -> None:
        if self.is_gone:
            return
        wanted = status_of(picture, self._around.place(), is_ending=ending)
        self._tell_crash_loops(picture, wanted)
        if wanted == self.status:
            return
        seconds = _patience(self.status, wanted)
        self.status = wanted
        with caused_by(self.pod):
            self._around.tools.statuses.put(self.pod, wanted, within_seconds=seconds)

    def _tell_crash_loops(self, picture: Picture, status: PodStatus) -> None:
        """One Event for each wait."""
        specs = picture.specs.by_name()
        looping = [
            one
            for one in (*status.initContainerStatuses, *status.containerStatuses)
            if one.state.waiting.reason == CRASH_LOOP
        ]
        for one in looping:
            if one.containerID not in self._crash_told:
                pod = f"{self.identity.name}_{self.identity.namespace}({self.identity.uid})"
                message = f"Back-off restarting failed container {one.name} in pod {pod}"
                self._acting.tell(picture, specs[one.name], "Warning", "BackOff", message)
        self._crash_told = {one.containerID for one in looping}

    def _wait_until(self, look_at: float | None, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.look_at = look_at or 0.0
        if look_at is not None:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, look_at - now) + 0.001, self.poke)

    # -------------------------------------------------------------------------------------------------------- jobs

    def _begin(self, action: actions.Action, picture: Picture) -> None:
        before = self._jobs.get(action.key)
        if before is not None:
            if not _is_more_urgent(action, before.action):
                return
            before.task.cancel()
        with caused_by(self.pod):
            task = self._around.group.create_task(self._run(action, picture))
        self._jobs[action.key] = _Job(action, task)

    async def _run(self, action: actions.Action, picture: Picture) -> None:
        """One job to its end."""
        job = self._jobs[action.key]

        try:
            try:
                await self._acting.do(action, picture, interruption=_Interruption(job, self._see))
                self._succeeded(action.key)
            except Failed as failed:
                self._failed(action, failed, picture)
            except Exception as error:  # noqa: BLE001 - the supervisor of acts: one pod's mishap is not the node's
                _LOG.exception("a pod's action broke off", error, pod=self.identity.name, what=action.key)
                self._failed(action, Failed(Trouble("InternalError", str(error))), picture)
            if isinstance(action, _LOOKS):
                await self._see()
        finally:
            if self._jobs.get(action.key) is job:
                del self._jobs[action.key]
            self.poke()

    async def _see(self) -> None:
        """Look at the runtime until it answers: what was done must be seen before more is decided."""
        backoff = Backoff(_RETRY_FIRST_SECONDS, _RETRY_LIMIT_SECONDS)
        while True:
            try:
                await self._around.observation.refresh(self.identity)
            except RuntimeCallError as error:
                _LOG.warning("the runtime does not answer", pod=self.identity.name, why=error)
                await asyncio.sleep(backoff.next())
            else:
                return

    def _succeeded(self, key: str) -> None:
        self.memory.retry_at.pop(key, None)
        self._backoffs.pop(key, None)

    def _failed(self, action: actions.Action, failed: Failed, picture: Picture) -> None:
        """Remember why, and when to try again."""
        key, seconds = action.key, failed.retry_seconds
        if seconds is None:
            backoff = self._backoffs.setdefault(key, Backoff(_RETRY_FIRST_SECONDS, _RETRY_LIMIT_SECONDS, jitter=0.2))
            seconds = backoff.next()
        self.memory.retry_at[key] = self._around.tools.wall_clock() + seconds
        if isinstance(action, actions.EnsureImage | actions.StartContainer):
            self.memory.troubles[action.name] = failed.trouble
            if failed.trouble.reason == "ErrImagePull":
                self._back_off_later(action.name, failed.trouble, picture)
        about = f"{self.identity.namespace}/{self.identity.name}"
        _LOG.info("not done", pod=about, what=key, why=failed.trouble.message, again_seconds=round(seconds, 3))

    def _back_off_later(self, name: str, trouble: Trouble, picture: Picture) -> None:
        """A failed pull is told as that first, and then as a wait."""
        spec = picture.specs.by_name()[name]

        def wait() -> None:
            if self.memory.troubles.get(name) is trouble:
                message = f'Back-off pulling image "{spec.container.image}"'
                self.memory.troubles[name] = Trouble("ImagePullBackOff", f"{message}: ErrImagePull: {trouble.message}")
                self._acting.tell(picture, spec, "Normal", "BackOff", message)
                self._acting.tell(picture, spec, "Warning", "Failed", "Error: ImagePullBackOff")
                self.poke()

        asyncio.get_running_loop().call_later(_PULL_SHOWN_SECONDS, wait)


def _is_more_urgent(action: actions.Action, under_way: actions.Action) -> bool:
    """A kill with an earlier deadline takes the place of one under way."""
    return (
        isinstance(action, actions.KillContainer)
        and isinstance(under_way, actions.KillContainer)
        and action.deadline < under_way.deadline - 0.5
    )


def _patience(before: PodStatus, status: PodStatus) -> float:
    """How long a status may wait for the next one.

    Whoever waits for a pod to be ready, to be no longer, or to end hears of it at once; that it is on its way, or runs
    and may be ready in a moment, may wait.
    """
    if status.phase == "Pending":
        return _ON_ITS_WAY_SECONDS
    if _is_ready(before) != _is_ready(status) or status.phase in {"Succeeded", "Failed"}:
        return 0.0
    return _RUNNING_SECONDS


def _is_ready(status: PodStatus) -> bool:
    return any(one.type == "Ready" and one.status == "True" for one in status.conditions)
