"""What only ObjectService offers: kinds by name, manifests, and who wrote an object lately."""

from __future__ import annotations

from typing import Final

from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource as ResourceMessage
from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata
from kubewire.client.resources import options as encoded
from kubewire.client.resources.calls import DEFAULT_TIMEOUT_SECONDS
from kubewire.client.resources.kinds import DynamicObject, GenericKind, MetadataKind
from kubewire.client.resources.options import Writing
from kubewire.client.resources.resource_client import ResourceClient, read_results
from kubewire.client.resources.results import Result
from kubewire.client.transport.transport import Transport
from kubewire.machinery.gvk import GroupVersionResource
from kubewire.machinery.service_names import OBJECT_SERVICE
from kubewire.rpc.v1.object_service_pb2 import ListWritesRequest, ListWritesResponse, WriteRecord
from kubewire.rpc.v1.raw_pb2 import RawRequest

_APPLY: Final = f"/{OBJECT_SERVICE}/Apply"
_LIST_WRITES: Final = f"/{OBJECT_SERVICE}/ListWrites"
_ANY: Final = GroupVersionResource("", "", "")


class DynamicClient:
    """Calls on kinds that are known by name alone, custom resources included. Make it with `Client.dynamic`."""

    def __init__(self, transport: Transport, *, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self._transport = transport
        self._timeout_seconds = timeout_seconds

    def resource(self, gvr: GroupVersionResource, *, namespace: str = "") -> ResourceClient[DynamicObject]:
        """Objects as bytes."""
        return ResourceClient(
            self._transport, GenericKind(gvr), namespace=namespace, timeout_seconds=self._timeout_seconds
        )

    def metadata(self, gvr: GroupVersionResource, *, namespace: str = "") -> ResourceClient[PartialObjectMetadata]:
        """Metadata alone, with the means to read, watch, patch and delete."""
        return ResourceClient(
            self._transport, MetadataKind(gvr), namespace=namespace, timeout_seconds=self._timeout_seconds
        )

    async def apply_manifests(
        self, manifests: bytes, writing: Writing, *, namespace: str = ""
    ) -> list[Result[DynamicObject]]:
        """Server-side apply of YAML documents or JSON, one after the other, with a result each.

        `namespace` is for namespaced objects that name none.
        """
        request = RawRequest(namespace=namespace, objects=(manifests,), options=(encoded.patch_options(writing),))
        data = await self._call(_APPLY, request.SerializeToString())
        return read_results(data, GenericKind(_ANY).decode)

    async def list_writes(
        self, gvr: GroupVersionResource, *, namespace: str = "", name: str = "", limit: int = 0
    ) -> list[WriteRecord]:
        """Who wrote an object (or all of a resource) lately, newest last: what the server asked happens to remember.

        `limit` 0: the last 100.
        """
        resource = ResourceMessage(group=gvr.group, version=gvr.version, resource=gvr.resource)
        request = ListWritesRequest(namespace=namespace, name=name, resource=resource, limit=limit)
        data = await self._call(_LIST_WRITES, request.SerializeToString())
        return list(ListWritesResponse.FromString(data).writes)

    async def _call(self, method: str, request: bytes) -> bytes:
        return await self._transport.unary(method, request, timeout_seconds=self._timeout_seconds)
