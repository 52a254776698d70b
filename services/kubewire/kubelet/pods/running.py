"""The next steps of a pod that is to run: sandbox, init containers in order, then all the others. Pure.

The order is Kubernetes': a pod whose sandbox is lost gets another one and runs its init containers again; a sidecar
(an init container with restartPolicy Always) lets the next one start once it has started, and runs on.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubewire.api.core.v1.pod_pb2 import ContainerStatus
from kubewire.kubelet.pods.actions import (
    CreateSandbox,
    EnsureImage,
    KillContainer,
    RemoveContainer,
    RemoveSandbox,
    SetUpVolumes,
    StartContainer,
    StopSandbox,
)
from kubewire.kubelet.pods.containers import Kind, Spec, hash_of
from kubewire.kubelet.pods.draft import Draft
from kubewire.kubelet.pods.picture import Picture, Plan
from kubewire.kubelet.runtime.contracts import Container, Phase, Sandbox
from kubewire.kubelet.runtime.labels import HASH

KEPT_DEAD = 1
"""Dead containers kept of each name beside the newest: for its last state and the logs of the one before."""


def decide_running(picture: Picture) -> Plan:
    """What brings the pod closer to running as its spec says."""
    draft = Draft(picture)
    _keep_volumes(picture, draft)
    if picture.deadline is not None:
        draft.look(picture.deadline)
    sandbox = _usable(picture)
    if sandbox is None:
        _renew_sandbox(picture, draft)
    for spec in _startable(picture, sandbox):
        _step(picture, draft, spec, sandbox)
    _collect_dead(picture, draft)
    return draft.plan()


def _keep_volumes(picture: Picture, draft: Draft) -> None:
    fresh_until = picture.memory.volumes_at + picture.sync_seconds
    if not picture.memory.volumes_at or picture.now >= fresh_until:
        draft.do(SetUpVolumes())
    else:
        draft.look(fresh_until)


def _usable(picture: Picture) -> Sandbox | None:
    """The sandbox to run in; one that has no address although it needs one is of no use."""
    sandbox = picture.seen.ready_sandbox
    if sandbox is None or (not sandbox.ips and not picture.pod.spec.hostNetwork):
        return None
    return sandbox


def _renew_sandbox(picture: Picture, draft: Draft) -> None:
    """End what is left in sandboxes of before, then make the next one."""
    leftovers = False
    for container in picture.seen.running:
        leftovers = True
        message = "Pod sandbox changed, it will be killed and re-created."
        draft.do(KillContainer(container.id, container.name, picture.now + picture.grace_seconds, message))
    for sandbox in picture.seen.sandboxes:
        if sandbox.is_ready or sandbox.id not in picture.memory.stopped:
            leftovers = True
            if not picture.seen.running:
                draft.do(StopSandbox(sandbox.id))
    if not leftovers:
        newest = picture.seen.sandboxes[0] if picture.seen.sandboxes else None
        draft.do(CreateSandbox(0 if newest is None else newest.attempt + 1))


def _startable(picture: Picture, sandbox: Sandbox | None) -> Sequence[Spec]:
    """The containers whose turn it is."""
    specs = picture.specs
    others = (*specs.main, *specs.ephemeral)
    if sandbox is not None and _is_initialized(picture, sandbox):
        return (*specs.sidecars, *others)
    turn: list[Spec] = []
    for spec in specs.init:
        turn.append(spec)
        if not _lets_next_start(picture, spec):
            return turn
    return (*(spec for spec in turn if spec.is_sidecar), *others)


def _is_initialized(picture: Picture, sandbox: Sandbox) -> bool:
    """Whether init containers have done their work in this sandbox: one of the others was made in it."""
    names = {spec.name for spec in picture.specs.main}
    return any(one.name in names and one.sandbox_id == sandbox.id for one in picture.seen.containers)


def _lets_next_start(picture: Picture, spec: Spec) -> bool:
    current = picture.current(spec)
    if current is None:
        return False
    if spec.is_sidecar:
        return current.is_running and picture.verdict(spec.name, current.id).started
    return current.phase is Phase.EXITED and current.exit_code == 0


def _step(picture: Picture, draft: Draft, spec: Spec, sandbox: Sandbox | None) -> None:
    """What one container needs next."""
    if picture.is_starting(spec.name):
        return
    current = picture.current(spec)
    if current is None:
        _start(picture, draft, spec, sandbox)
    elif current.phase is Phase.CREATED:
        # Whoever made it did not come to starting it, and no longer will.
        draft.do(RemoveContainer(current.id, current.name))
    elif current.is_running:
        _keep(picture, draft, spec, current)
    elif spec.kind is Kind.INIT and not spec.is_sidecar and current.exit_code == 0:
        return
    elif picture.will_restart(spec, current):
        _restart(picture, draft, spec, current, sandbox)


def _keep(picture: Picture, draft: Draft, spec: Spec, current: Container) -> None:
    """End a container that is no longer what it should be; what ended is started anew."""
    made_as = current.annotations.get(HASH, "")
    if made_as and made_as != hash_of(spec.name, spec.container.image):
        message = f"Container {spec.name} definition changed, will be restarted"
        draft.do(KillContainer(current.id, spec.name, picture.now + picture.grace_seconds, message))
        return
    verdict = picture.verdict(spec.name, current.id)
    if not verdict.live:
        message = f"{verdict.failure}, will be restarted"
        # The probe's own grace period goes before the pod's (KEP-2238).
        grace = picture.grace_seconds if verdict.grace_seconds is None else verdict.grace_seconds
        draft.do(KillContainer(current.id, spec.name, picture.now + grace, message))


def _restart(picture: Picture, draft: Draft, spec: Spec, ended: Container, sandbox: Sandbox | None) -> None:
    ready_at = picture.memory.restarts.ready_at(ended)
    if picture.now < ready_at:
        draft.look(ready_at)
    else:
        _start(picture, draft, spec, sandbox)


def _start(picture: Picture, draft: Draft, spec: Spec, sandbox: Sandbox | None) -> None:
    """Its image first, which needs no sandbox; then, when all is there, the container."""
    image_ref = picture.memory.images.get(spec.name)
    if image_ref is None:
        draft.do(EnsureImage(spec.name))
    elif sandbox is not None and picture.memory.volumes_at:
        draft.do(StartContainer(spec.name, _next_attempt(picture, spec), sandbox.id, image_ref))


def _next_attempt(picture: Picture, spec: Spec) -> int:
    """One more than the newest; where the runtime has lost it, one more than what was reported."""
    newest = picture.seen.newest(spec.name)
    if newest is not None:
        return newest.attempt + 1
    status = picture.pod.status
    for one in (*status.initContainerStatuses, *status.containerStatuses, *status.ephemeralContainerStatuses):
        if one.name == spec.name:
            return one.restartCount + _has_run(one)
    return 0


def _has_run(reported: ContainerStatus) -> bool:
    """Whether the container that was reported last came to running: one that was only made does not count."""
    state = reported.state
    if state.HasField("running") or state.HasField("terminated"):
        return True
    return bool(reported.containerID) and reported.lastState.terminated.containerID == reported.containerID


def _collect_dead(picture: Picture, draft: Draft) -> None:
    """Remove containers that nobody needs any more, and sandboxes that hold none."""
    for spec in picture.specs.all:
        for container in picture.seen.named(spec.name)[1 + KEPT_DEAD :]:
            if not container.is_running:
                draft.do(RemoveContainer(container.id, container.name))
    inhabited = {container.sandbox_id for container in picture.seen.containers}
    for sandbox in picture.seen.sandboxes[1:]:
        if not sandbox.is_ready and sandbox.id not in inhabited:
            draft.do(RemoveSandbox(sandbox.id))
