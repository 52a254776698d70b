"""What is done next for a pod: a pure function of what should be, what runs, and what is remembered.

deleted, gone, rejected, overdue, or with nothing left to do  ->  `ending`
else                                                          ->  `running`
"""

from __future__ import annotations

from kubewire.kubelet.pods.containers import Spec
from kubewire.kubelet.pods.ending import decide_ending
from kubewire.kubelet.pods.picture import Picture, Plan
from kubewire.kubelet.pods.running import decide_running


def decide(picture: Picture) -> Plan:
    """The next steps; the same picture always gives the same plan."""
    if is_ending(picture):
        return decide_ending(picture)
    return decide_running(picture) if picture.memory.admitted else Plan([])


def is_ending(picture: Picture) -> bool:
    """Whether all that runs of the pod is to end."""
    return (
        picture.is_deleted
        or picture.is_finished
        or picture.memory.admitted is False
        or picture.is_overdue
        or is_complete(picture)
    )


def is_complete(picture: Picture) -> bool:
    """Whether its work is done, or cannot be: nothing is left to start."""
    if any(_has_failed(picture, spec) for spec in picture.specs.init if not spec.is_sidecar):
        return True
    return bool(picture.specs.main) and all(_is_done(picture, spec) for spec in picture.specs.main)


def _has_failed(picture: Picture, spec: Spec) -> bool:
    current = picture.current(spec)
    return (
        current is not None
        and current.is_ended
        and current.exit_code != 0
        and not picture.will_restart(spec, current)
        and not picture.is_starting(spec.name)
    )


def _is_done(picture: Picture, spec: Spec) -> bool:
    current = picture.current(spec)
    return (
        current is not None
        and current.is_ended
        and not picture.will_restart(spec, current)
        and not picture.is_starting(spec.name)
    )
