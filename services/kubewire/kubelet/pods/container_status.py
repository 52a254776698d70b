"""What is reported of one container: waiting, running or terminated, what was before, and how often. Pure."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1 import pod_pb2 as core
from kubewire.api.meta.v1.time_pb2 import Time
from kubewire.kubelet.pods.containers import Kind, Spec
from kubewire.kubelet.pods.memory import Trouble
from kubewire.kubelet.pods.picture import Picture
from kubewire.kubelet.runtime.contracts import Container, Phase

CRASH_LOOP: Final = "CrashLoopBackOff"
_LOST: Final = "ContainerStatusUnknown"
_LOST_CODE: Final = 137


def container_status(picture: Picture, spec: Spec, runtime_name: str, *, is_ending: bool) -> core.ContainerStatus:
    """One container's status."""
    current = picture.current(spec)
    reported = _reported(picture, spec)
    status = core.ContainerStatus(name=spec.name, image=spec.container.image, imageID="", ready=False, started=False)
    status.restartCount = 0 if reported is None else reported.restartCount
    status.lastState.SetInParent()
    if current is None:
        _without_container(picture, spec, status, reported, is_ending=is_ending)
    else:
        _with_container(picture, spec, status, current, runtime_name)
        _keep_reported_end(status, reported)
        _keep_waiting(picture, spec, status, current, is_ending=is_ending)
    _fill_resources(spec, status)
    return status


def _reported(picture: Picture, spec: Spec) -> core.ContainerStatus | None:
    """What the API server has of it."""
    found = picture.pod.status
    listed = {
        Kind.INIT: found.initContainerStatuses,
        Kind.MAIN: found.containerStatuses,
        Kind.EPHEMERAL: found.ephemeralContainerStatuses,
    }[spec.kind]
    return next((one for one in listed if one.name == spec.name), None)


def _without_container(
    picture: Picture,
    spec: Spec,
    status: core.ContainerStatus,
    reported: core.ContainerStatus | None,
    *,
    is_ending: bool,
) -> None:
    """The runtime has none: it has not come to it yet, or what there was is lost."""
    if reported is not None and reported.state.HasField("terminated") and is_ending:
        status.CopyFrom(reported)
        status.ready = False
        return
    was_running = reported is not None and reported.state.HasField("running")
    if reported is not None and was_running:
        lost = core.ContainerStateTerminated(
            exitCode=_LOST_CODE,
            reason=_LOST,
            message="The container could not be located when the pod was terminated",
            containerID=reported.containerID,
        )
        (status.state if is_ending else status.lastState).terminated.CopyFrom(lost)
    if not status.state.HasField("terminated"):
        _wait(status, picture.memory.troubles.get(spec.name) or _first_wait(picture, spec))


def _first_wait(picture: Picture, spec: Spec) -> Trouble:
    is_later = spec.kind is Kind.MAIN and bool(picture.specs.init)
    return Trouble("PodInitializing" if is_later else "ContainerCreating", "")


def _with_container(
    picture: Picture, spec: Spec, status: core.ContainerStatus, current: Container, runtime_name: str
) -> None:
    status.containerID = f"{runtime_name}://{current.id}"
    status.image = current.image or spec.container.image
    status.imageID = current.image_ref
    status.restartCount = current.attempt
    if current.is_running:
        status.state.running.startedAt.CopyFrom(_time(current.started_at))
        verdict = picture.verdict(spec.name, current.id)
        status.started = verdict.started
        is_step = spec.kind is Kind.INIT and not spec.is_sidecar
        status.ready = verdict.started and verdict.ready and not is_step
    elif current.phase is Phase.CREATED:
        _wait(status, picture.memory.troubles.get(spec.name) or _first_wait(picture, spec))
    else:
        status.state.terminated.CopyFrom(terminated(current, runtime_name))
        status.ready = spec.kind is Kind.INIT and not spec.is_sidecar and current.exit_code == 0
    before = next((one for one in picture.seen.named(spec.name) if one.id != current.id and one.is_ended), None)
    if before is not None:
        status.lastState.terminated.CopyFrom(terminated(before, runtime_name))


def _keep_reported_end(status: core.ContainerStatus, reported: core.ContainerStatus | None) -> None:
    """An end that was reported stays as it was: its message lay in a file that may be gone by now."""
    if reported is not None and status.state.HasField("terminated"):
        known = reported.state.terminated
        if known.containerID == status.state.terminated.containerID:
            status.state.terminated.CopyFrom(known)


def _keep_waiting(
    picture: Picture, spec: Spec, status: core.ContainerStatus, current: Container, *, is_ending: bool
) -> None:
    """A container that has ended and will run again waits: because starting failed, or because it fails too often."""
    if is_ending or not status.state.HasField("terminated") or not picture.will_restart(spec, current):
        return
    trouble = picture.memory.troubles.get(spec.name)
    if trouble is None and picture.memory.restarts.seconds(current):
        trouble = crash_loop(picture, spec, current)
    if trouble is not None:
        status.lastState.terminated.CopyFrom(status.state.terminated)
        _wait(status, trouble)


def crash_loop(picture: Picture, spec: Spec, ended: Container) -> Trouble:
    """Why a container that fails too often is not started yet."""
    seconds = picture.memory.restarts.seconds(ended)
    metadata = picture.pod.metadata
    pod = f"{metadata.name}_{metadata.namespace}({metadata.uid})"
    return Trouble(CRASH_LOOP, f"back-off {_duration(seconds)} restarting failed container={spec.name} pod={pod}")


def terminated(ended: Container, runtime_name: str) -> core.ContainerStateTerminated:
    """How a container ended."""
    state = core.ContainerStateTerminated(
        exitCode=ended.exit_code,
        reason=ended.reason or ("Completed" if ended.exit_code == 0 else "Error"),
        containerID=f"{runtime_name}://{ended.id}",
    )
    if ended.phase is Phase.UNKNOWN:
        state.reason, state.exitCode = _LOST, ended.exit_code or _LOST_CODE
    if ended.message:
        state.message = ended.message
    state.startedAt.CopyFrom(_time(ended.started_at))
    state.finishedAt.CopyFrom(_time(ended.finished_at))
    return state


def _wait(status: core.ContainerStatus, trouble: Trouble) -> None:
    status.state.ClearField("terminated")
    status.state.waiting.reason = trouble.reason
    if trouble.message:
        status.state.waiting.message = trouble.message


def _fill_resources(spec: Spec, status: core.ContainerStatus) -> None:
    """What it was given, and how its volumes are mounted."""
    if spec.kind is not Kind.EPHEMERAL and spec.container.HasField("resources"):
        for name, quantity in spec.container.resources.requests.items():
            status.allocatedResources[name].CopyFrom(quantity)
        status.resources.limits.MergeFrom(spec.container.resources.limits)
        status.resources.requests.MergeFrom(spec.container.resources.requests)
    for mount in spec.container.volumeMounts:
        reported = status.volumeMounts.add(name=mount.name, mountPath=mount.mountPath)
        if mount.readOnly:
            reported.readOnly = True
            reported.recursiveReadOnly = "Disabled"


def _duration(seconds: float) -> str:
    """As Go prints durations: 10s, 1m20s, 5m0s."""
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60}s" if whole >= 60 else f"{whole}s"


def _time(seconds: float) -> Time:
    return Time(seconds=int(seconds)) if seconds else Time()
