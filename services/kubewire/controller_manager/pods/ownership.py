"""Who controls an object: at most one of its owners does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from kubewire.api.meta.v1.object_meta_pb2 import OwnerReference
from kubewire.client.objects import ApiObject

ORPHANS: Final = "orphans by namespace"
BY_CONTROLLER: Final = "uid of the controller"
"""Names of indexes."""


def controller_of(obj: ApiObject) -> OwnerReference | None:
    """The owner that controls it; None for an orphan."""
    for owner in obj.metadata.ownerReferences:
        if owner.controller:
            return owner
    return None


def orphans(obj: ApiObject) -> Iterable[str]:
    """An index: objects that nobody controls, by namespace."""
    return (obj.metadata.namespace,) if controller_of(obj) is None else ()
