"""What was done and is not seen yet: the proof that no pod is made twice.

A cache is late. Between a creation and its sight in the cache, who counts the cache's pods alone would create again.
So every pod that was created is held here, under its uid, until the cache has shown it, and counts as there. A pod
whose creation has no known outcome is held as open; before anything else is decided its creation is repeated under the
same name, which makes it or finds it. Nothing here has to survive a restart: who starts anew begins with a complete
state, after the former leader's term and all calls of it have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod

VERIFY_SECONDS: Final = 5.0
"""A created pod that the cache has not shown for so long may be gone again already: it is asked for by name."""


@dataclass(slots=True)
class Memory:
    """Of one ReplicaSet.

    Attributes:
        is_cached: whether the cache shows a pod.
        unseen: created pods by uid that the cache has not shown, and since when.
        open: pods whose creation may or may not have happened.
        deleting: uids of pods that were deleted and are not seen to go yet.
        superseded: the version of the ReplicaSet that our last write of its status replaced.
    """

    is_cached: Callable[[Pod], bool]
    unseen: dict[str, tuple[Pod, float]] = field(default_factory=dict)
    open: list[Pod] = field(default_factory=list)
    deleting: set[str] = field(default_factory=set)
    superseded: str = ""

    def created(self, pod: Pod, now: float) -> None:
        """A pod was made, says its creation; the cache may have been faster."""
        if self.is_cached(pod):
            self.saw(pod.metadata.uid)
        else:
            self.unseen[pod.metadata.uid] = (pod, now)

    def saw(self, uid: str) -> None:
        """The cache has shown a pod, or its end."""
        self.unseen.pop(uid, None)

    def saw_going(self, uid: str) -> None:
        """The cache has shown that a pod goes, or its end."""
        self.deleting.discard(uid)

    def pods_beside(self, cached: Iterable[Pod]) -> list[Pod]:
        """The cached pods, and those that are there although the cache does not know yet."""
        return [*cached, *(pod for pod, _ in self.unseen.values())]

    def doubtful(self, now: float) -> list[Pod]:
        """Pods to ask for by name."""
        return [pod for pod, since in self.unseen.values() if now - since >= VERIFY_SECONDS]
