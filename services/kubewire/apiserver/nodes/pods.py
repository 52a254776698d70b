"""The pods of each node, and what they refer to.

Changes of pods are only noted as they arrive; they are sorted by node when a node asks, and a pod is decoded when its
node is the one that asks. A cluster whose nodes ask for nothing pays a set's insertion per change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from kubewire.apiserver.nodes.references import Reference, references_of

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.apiserver.item import Item

Place: TypeAlias = tuple[str, str]
"""Namespace and name."""

Find: TypeAlias = Callable[[str, str, str], "Item | None"]
"""An object of the core group by plural, namespace and name, as the cache has it."""

_NODE_FIELD: Final = "spec.nodeName"


class _Spec(NamedTuple):
    """Which specification of a pod: what it refers to changes with this alone."""

    uid: str
    generation: int


class NodePods:
    """Pods by node."""

    def __init__(self, find: Find) -> None:
        self._find = find
        self._changed: set[Place] = set()
        self._node_of: dict[Place, str] = {}
        self._pods: dict[str, dict[Place, _Spec]] = {}
        self._references: dict[str, frozenset[tuple[str, Reference]]] = {}

    def change(self, item: Item | None, previous: Item | None) -> None:
        """See `cache.kind.Follower`."""
        one = item or previous
        if one is not None:
            self._changed.add((one.namespace, one.name))

    def replace(self, items: Iterable[Item]) -> None:
        """See `cache.kind.Follower`."""
        self._changed.update(self._node_of)
        self._changed.update((item.namespace, item.name) for item in items)

    def is_on(self, node: str, namespace: str, name: str) -> bool:
        """Whether a pod is bound to a node."""
        self._settle()
        return self._node_of.get((namespace, name)) == node

    def refer(self, node: str, namespace: str, reference: Reference) -> bool:
        """Whether a pod on the node refers to an object of a namespace."""
        self._settle()
        known = self._references.get(node)
        if known is None:
            known = self._references[node] = frozenset(self._gather(node))
        return (namespace, reference) in known

    def claims(self, node: str) -> list[tuple[str, str]]:
        """Namespace and name of the volume claims that pods on the node refer to."""
        self.refer(node, "", Reference("", ""))
        return [(place, one.name) for place, one in self._references[node] if one.plural == "persistentvolumeclaims"]

    def _gather(self, node: str) -> Iterable[tuple[str, Reference]]:
        for namespace, name in self._pods.get(node, ()):
            item = self._find("pods", namespace, name)
            if item is not None:
                for reference in references_of(cast("Pod", item.message)):
                    yield namespace, reference

    def _settle(self) -> None:
        if not self._changed:
            return
        changed, self._changed = self._changed, set()
        for place in changed:
            self._sort(place)

    def _sort(self, place: Place) -> None:
        item = self._find("pods", *place)
        node = item.selectable[_NODE_FIELD] if item is not None else ""
        before = self._node_of.get(place, "")
        if before and before != node:
            del self._node_of[place]
            del self._pods[before][place]
            self._references.pop(before, None)
            if not self._pods[before]:
                del self._pods[before]
        if node and item is not None:
            spec = _Spec(item.metadata.uid, item.metadata.generation)
            pods = self._pods.setdefault(node, {})
            if pods.get(place) != spec:
                pods[place] = spec
                self._node_of[place] = node
                self._references.pop(node, None)
