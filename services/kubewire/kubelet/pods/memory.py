"""What a pod's worker remembers beside what the API server and the runtime say. None of it must survive a restart."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kubewire.kubelet.pods.backoff import RestartBackoff


class Trouble(NamedTuple):
    """Why something could not be done: a reason for machines and a message for people."""

    reason: str
    message: str


@dataclass(slots=True)
class Memory:
    """One pod's.

    Attributes:
        started_at: when the kubelet first saw the pod, its `startTime`.
        admitted: whether the node has taken it; None while that is not decided.
        rejected: why it has not.
        restarts: waits of containers that keep failing.
        images: what exactly a container's next start will run, once its image is there.
        troubles: why containers could not be started last.
        retry_at: when work that failed may be tried again, by the key of its action.
        volumes_at: when the volumes were last brought up to date; 0 before the first time.
        ending_at: when the kubelet began to end the pod; 0 while it has not.
        stopped: ids of the sandboxes that were stopped, so that their addresses are free again.
        is_cleaned: its volumes were removed.
        is_deleted: the API server was told that nothing of it runs.
        is_removed: what was left of it in the runtime was removed.
    """

    started_at: float
    restarts: RestartBackoff
    admitted: bool | None = None
    rejected: Trouble | None = None
    images: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, Trouble] = field(default_factory=dict)
    retry_at: dict[str, float] = field(default_factory=dict)
    volumes_at: float = 0.0
    ending_at: float = 0.0
    stopped: set[str] = field(default_factory=set)
    is_cleaned: bool = False
    is_deleted: bool = False
    is_removed: bool = False
