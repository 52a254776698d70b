"""ObjectService.ListWrites: who wrote an object lately, from this server's ring of recent writes."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from google.protobuf.timestamp_pb2 import Timestamp

from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource
from kubewire.apiserver.auth.authorization import Attributes
from kubewire.rpc.v1.object_service_pb2 import ListWritesResponse
from kubewire.rpc.v1.object_service_pb2 import WriteRecord as WriteMessage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubewire.apiserver.auth.authorization import Authorization
    from kubewire.apiserver.record.ring import WriteRecord, WriteRing
    from kubewire.apiserver.rpc.asked import Asked

_DEFAULT_LIMIT: Final = 100
_LIMIT_AT_MOST: Final = 10_000


class Writes:
    """Answers from the ring, to those who may list the resource: a record says less than the object's own bytes."""

    def __init__(self, ring: WriteRing, authorization: Authorization) -> None:
        self._ring = ring
        self._authorization = authorization

    async def list(self, asked: Asked) -> bytes:
        """The newest records of one object or of a resource, newest last."""
        call = asked.call
        resource = call.resource
        self._authorization.require(
            Attributes(
                call.identity,
                verb="list",
                group=resource.group,
                version=resource.version,
                resource=resource.plural,
                namespace=call.namespace,
                name=call.name,
            )
        )
        limit = min(asked.request.limit if asked.request.limit > 0 else _DEFAULT_LIMIT, _LIMIT_AT_MOST)
        newest = list(islice(self._matching(asked), limit))
        named = GroupVersionResource(group=resource.group, version=resource.version, resource=resource.plural)
        return ListWritesResponse(writes=[_message(record, named) for record in reversed(newest)]).SerializeToString()

    def _matching(self, asked: Asked) -> Iterator[WriteRecord]:
        call = asked.call
        resource = str(call.resource.group_resource)
        if call.name:
            return self._ring.of(resource, call.namespace, call.name)
        return (
            record
            for record in self._ring.recent()
            if record.resource == resource and call.namespace in ("", record.namespace)
        )


def _message(record: WriteRecord, resource: GroupVersionResource) -> WriteMessage:
    return WriteMessage(
        resource=resource,
        namespace=record.namespace,
        name=record.name,
        resource_version=str(record.revision),
        verb=record.verb,
        subresource=record.subresource,
        user=record.user,
        manager=record.manager,
        cause=record.cause,
        received_time=_timestamp(record.received_seconds),
        committed_time=_timestamp(record.committed_seconds),
    )


def _timestamp(seconds: float) -> Timestamp:
    whole = int(seconds)
    return Timestamp(seconds=whole, nanos=int((seconds - whole) * 1e9))
