"""What a namespace's deletion has come to. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from kubewire.api.core.v1.namespace_pb2 import Namespace, NamespaceCondition
from kubewire.machinery.gvk import GroupVersionResource
from kubewire.machinery.resources import Resource

FINALIZER: Final = "kubernetes"
_CONTENT_FAILURE: Final = "NamespaceDeletionContentFailure"
_CONTENT: Final = "NamespaceContentRemaining"
_FINALIZERS: Final = "NamespaceFinalizersRemaining"
_GONE: Final = {
    _CONTENT_FAILURE: ("ContentDeleted", "Nothing could not be deleted"),
    _CONTENT: ("ContentRemoved", "Nothing is left in the namespace"),
    _FINALIZERS: ("ContentHasNoFinalizers", "No finalizer holds anything in the namespace"),
}


@dataclass(slots=True)
class Remains:
    """What is left in a namespace.

    Attributes:
        objects: how many, by resource.
        finalizers: by how many objects each is held.
        failures: why something could not be deleted.
    """

    objects: Counter[str] = field(default_factory=Counter)
    finalizers: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether the namespace may go."""
        return not self.objects and not self.failures


def is_to_empty(namespace: Namespace) -> bool:
    """Whether it is being deleted and waits for us."""
    return namespace.metadata.HasField("deletionTimestamp") and FINALIZER in namespace.spec.finalizers


def contents(resources: Iterable[Resource]) -> Sequence[Sequence[GroupVersionResource]]:
    """Which kinds to empty it of, in steps: nothing that pods need goes before they have ended."""
    namespaced = {
        one.group_resource: one.gvr
        for one in sorted(resources, key=lambda one: one.preferred)
        if one.namespaced and {"list", "delete"} <= set(one.verbs)
    }
    pods = [gvr for gvr in namespaced.values() if (gvr.group, gvr.resource) == ("", "pods")]
    return pods, [gvr for gvr in namespaced.values() if gvr not in pods]


def conditions(namespace: Namespace, remains: Remains, now: float) -> list[NamespaceCondition]:
    """The conditions that tell what the deletion waits for; those that say the same keep their time."""
    before = {one.type: one for one in namespace.status.conditions}
    wanted = _texts(remains)
    found = [one for one in namespace.status.conditions if one.type not in _GONE]
    for type, gone in _GONE.items():
        reason, message = wanted.get(type, gone)
        found.append(_condition(before.get(type), (type, str(type in wanted), reason, message), now))
    return found


def _texts(remains: Remains) -> Mapping[str, tuple[str, str]]:
    """Reason and message of the conditions that hold."""
    texts: dict[str, tuple[str, str]] = {}
    if remains.failures:
        texts[_CONTENT_FAILURE] = ("ContentDeletionFailed", "; ".join(sorted(remains.failures)))
    if remains.objects:
        texts[_CONTENT] = ("SomeResourcesRemain", f"Still there: {_counted(remains.objects)}")
    if remains.finalizers:
        texts[_FINALIZERS] = ("SomeFinalizersRemain", f"Held by finalizers: {_counted(remains.finalizers)}")
    return texts


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count})" for name, count in sorted(counts.items()))


def _condition(before: NamespaceCondition | None, wanted: tuple[str, str, str, str], now: float) -> NamespaceCondition:
    type, status, reason, message = wanted
    if before is not None and (before.status, before.reason, before.message) == (status, reason, message):
        return before
    made = NamespaceCondition(type=type, status=status, reason=reason, message=message)
    made.lastTransitionTime.seconds = int(now)
    return made
