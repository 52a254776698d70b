"""The next steps of a pod that is to end, or has ended. Pure.

Main containers end first, side by side; sidecars after them, the last first; then the sandbox, then the volumes. Only
when nothing of a deleted pod is left does the API server hear of it, which frees the pod's name.
"""

from __future__ import annotations

from typing import Final

from kubewire.kubelet.pods.actions import CleanUp, DeletePod, KillContainer, RemoveRemains, StopSandbox
from kubewire.kubelet.pods.draft import Draft
from kubewire.kubelet.pods.picture import Picture, Plan
from kubewire.kubelet.runtime.contracts import Container

_LEAST_SECONDS: Final = 2.0
"""What a sidecar gets to end when the main ones have used up the grace period."""


def decide_ending(picture: Picture) -> Plan:
    """What brings the pod closer to its end."""
    draft = Draft(picture)
    if picture.seen.running:
        _end_containers(picture, draft)
    elif not any(key.startswith(("start ", "sandbox", "volumes")) for key in picture.busy):
        _end_rest(picture, draft)
    return draft.plan()


def _end_containers(picture: Picture, draft: Draft) -> None:
    began = picture.memory.ending_at or picture.now
    deadline = began + picture.grace_seconds
    sidecars = {spec.name: place for place, spec in enumerate(picture.specs.sidecars)}
    mains = [one for one in picture.seen.running if one.name not in sidecars]
    for container in mains:
        _kill(draft, container, deadline)
    rest = sorted((one for one in picture.seen.running if one.name in sidecars), key=lambda one: -sidecars[one.name])
    if picture.now >= deadline:
        for container in rest:
            _kill(draft, container, deadline + _LEAST_SECONDS)
    elif mains and rest:
        draft.look(deadline)
    elif rest:
        _kill(draft, rest[0], deadline)
        draft.look(deadline)


def _kill(draft: Draft, container: Container, deadline: float) -> None:
    # One under way may be in less of a hurry than a deletion with a shorter grace period.
    draft.redo(KillContainer(container.id, container.name, deadline, f"Stopping container {container.name}"))


def _end_rest(picture: Picture, draft: Draft) -> None:
    """The containers are down."""
    memory = picture.memory
    waiting = [one for one in picture.seen.sandboxes if one.is_ready or one.id not in memory.stopped]
    if waiting:
        for sandbox in waiting:
            draft.do(StopSandbox(sandbox.id))
    elif not memory.is_cleaned:
        draft.do(CleanUp())
    elif picture.is_gone:
        if not memory.is_removed or not picture.seen.is_empty:
            draft.do(RemoveRemains())
    elif picture.is_deleted and not memory.is_deleted:
        draft.do(DeletePod())
