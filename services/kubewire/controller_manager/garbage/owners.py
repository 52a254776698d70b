"""Whether an owner is there: asked of the graph first, and then, before anything is deleted, of the server."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from kubewire.api.meta.v1.object_meta_pb2 import OwnerReference, PartialObjectMetadata
from kubewire.client.client import Client
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.garbage.graph import FOREGROUND, Found, Graph
from kubewire.controller_manager.garbage.plan import Owner
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupVersion
from kubewire.machinery.resources import Resource, builtin

_REMEMBERED: Final = 1000
"""Owners known to be gone: all dependents of one ask for the same."""


class UnknownOwner(Exception):
    """An owner is of a kind that is not known here: whether it is there cannot be told, so its dependents stay."""


class Owners:
    """Answers for owners; uids of what is gone are remembered, since none ever comes back."""

    def __init__(self, client: Client, graph: Graph) -> None:
        self._client = client
        self._graph = graph
        self._gone: OrderedDict[str, None] = OrderedDict()

    async def state(self, found: Found, reference: OwnerReference) -> Owner:
        """What is known of one owner of an object.

        Raises:
            StatusError: the server could not be asked.
            UnknownOwner: its kind is not known.
        """
        known = self._graph.get(reference.uid)
        if known is not None and known.metadata.namespace in {"", found.metadata.namespace}:
            return _state(reference, known.is_going and FOREGROUND in known.metadata.finalizers)
        if reference.uid in self._gone:
            return Owner.GONE
        owner = await self._ask(found, reference)
        if owner is None or owner.metadata.uid != reference.uid:
            self._forget(reference.uid)
            return Owner.GONE
        going = owner.metadata.HasField("deletionTimestamp")
        return _state(reference, going and FOREGROUND in owner.metadata.finalizers)

    async def _ask(self, found: Found, reference: OwnerReference) -> PartialObjectMetadata | None:
        resource = _resource(reference)
        namespace = found.metadata.namespace if resource.namespaced else ""
        if resource.namespaced and not namespace:
            # Nothing in a namespace can own what is in none.
            return None
        try:
            return await self._client.dynamic.metadata(resource.gvr, namespace=namespace).get(reference.name)
        except StatusError as error:
            if is_missing(error):
                return None
            raise

    def _forget(self, uid: str) -> None:
        self._gone[uid] = None
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)


def _state(reference: OwnerReference, is_foreground: bool) -> Owner:  # noqa: FBT001 - told by its name at each call
    return Owner.WAITS if is_foreground and reference.blockOwnerDeletion else Owner.STAYS


def _resource(reference: OwnerReference) -> Resource:
    try:
        group, version = GroupVersion.parse(reference.apiVersion)
    except ValueError:
        group, version = "", ""
    resource = builtin().by_kind(group, version, reference.kind)
    if resource is None:
        raise UnknownOwner(f"{reference.apiVersion} {reference.kind} {reference.name} is of no kind known here")
    return resource
