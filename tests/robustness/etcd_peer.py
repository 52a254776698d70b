"""A foreign client of etcd, independent of the server's own: what it says of etcd must not rest on what is tested."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Final, NamedTuple, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.etcd import rpc_pb2 as pb
from tests.robustness.api import Content, Lost, Unexpected, config_map

REGISTRY: Final = b"/registry/"
PREFIX: Final = b"/registry/configmaps/"
_SECONDS: Final = 1.0
_MAGIC: Final = b"k8s\0"
_END: Final = b"\0"  # as the end of a range: all keys that follow

Answer = TypeVar("Answer", bound=Message)


class Change(NamedTuple):
    """One change of one key. `value` None: deleted."""

    key: bytes
    revision: int
    value: bytes | None


def stored_key(key: str) -> bytes:
    """Where an object is stored."""
    return PREFIX + key.encode()


def stored_value(key: str, content: Content) -> bytes:
    """An object as Kubernetes stores it."""
    message = config_map(key, content)
    message.metadata.uid = str(uuid.uuid5(uuid.NAMESPACE_OID, content.tag))
    message.metadata.creationTimestamp.seconds = 1_700_000_000
    wrapped = Unknown(raw=message.SerializeToString(), contentEncoding="", contentType="")
    wrapped.typeMeta.apiVersion, wrapped.typeMeta.kind = "v1", "ConfigMap"
    return _MAGIC + wrapped.SerializeToString()


def stored_object(value: bytes) -> ConfigMap:
    """The object in a stored value."""
    if not value.startswith(_MAGIC):
        raise Unexpected(f"a stored value without an envelope: {value[:50]!r}")
    return ConfigMap.FromString(Unknown.FromString(value[len(_MAGIC) :]).raw)


class EtcdPeer:
    """Calls one etcd. Every method raises Lost when there is no answer."""

    def __init__(self, endpoint: str) -> None:
        self._channel = grpc.aio.insecure_channel(
            endpoint,
            options=[
                ("grpc.initial_reconnect_backoff_ms", 20),
                ("grpc.min_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 100),
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.max_receive_message_length", -1),
            ],
        )

    async def revision(self) -> int:
        """etcd's own."""
        answer = await self._call("KV/Range", pb.RangeRequest(key=_END, count_only=True), pb.RangeResponse)
        return answer.header.revision

    async def put(self, key: bytes, value: bytes, lease: int = 0) -> int:
        """Write, over whatever there is."""
        request = pb.PutRequest(key=key, value=value, lease=lease)
        return (await self._call("KV/Put", request, pb.PutResponse)).header.revision

    async def delete(self, key: bytes) -> int:
        """Delete; the revision of the deletion, 0 if there was nothing."""
        answer = await self._call("KV/DeleteRange", pb.DeleteRangeRequest(key=key), pb.DeleteRangeResponse)
        return answer.header.revision if answer.deleted else 0

    async def compact(self, revision: int) -> None:
        """Forget history before a revision."""
        await self._call("KV/Compact", pb.CompactionRequest(revision=revision), pb.CompactionResponse)

    async def grant(self, seconds: int) -> int:
        """Make a lease."""
        request = pb.LeaseGrantRequest(TTL=seconds)
        return (await self._call("Lease/LeaseGrant", request, pb.LeaseGrantResponse)).ID

    async def revoke(self, lease: int) -> None:
        """End a lease: its keys are deleted at one revision."""
        await self._call("Lease/LeaseRevoke", pb.LeaseRevokeRequest(ID=lease), pb.LeaseRevokeResponse)

    async def state(self, prefix: bytes) -> dict[bytes, int]:
        """The revision of every key below a prefix, now."""
        request = pb.RangeRequest(key=prefix, range_end=prefix[:-1] + b"0", keys_only=True)
        answer = await self._call("KV/Range", request, pb.RangeResponse)
        return {kv.key: kv.mod_revision for kv in answer.kvs}

    async def watch(self, prefix: bytes, after: int) -> AsyncIterator[Sequence[Change]]:
        """Changes below a prefix (which ends with a slash) after a revision, whole revisions at a time."""
        callable_: grpc.aio.StreamStreamMultiCallable[pb.WatchRequest, pb.WatchResponse] = self._channel.stream_stream(
            "/etcdserverpb.Watch/Watch",
            request_serializer=pb.WatchRequest.SerializeToString,
            response_deserializer=pb.WatchResponse.FromString,
        )
        call = callable_()
        request = pb.WatchCreateRequest(key=prefix, range_end=prefix[:-1] + b"0", start_revision=after + 1)
        try:
            await call.write(pb.WatchRequest(create_request=request))
            async for answer in call:
                if answer.canceled:
                    why = answer.cancel_reason or f"compacted to {answer.compact_revision}"
                    raise Unexpected(f"etcd ended a watch after {after}: {why}")
                yield [
                    Change(event.kv.key, event.kv.mod_revision, None if event.type else event.kv.value)
                    for event in answer.events
                ]
        except grpc.aio.AioRpcError as error:
            raise Lost(f"{error.code().name}: {error.details()}") from None
        finally:
            call.cancel()
        raise Lost("etcd ended a watch")

    async def close(self) -> None:
        """End every call."""
        await self._channel.close()

    async def _call(self, method: str, request: Message, answer: type[Answer]) -> Answer:
        callable_: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(f"/etcdserverpb.{method}")
        try:
            return answer.FromString(await callable_(request.SerializeToString(), timeout=_SECONDS))
        except grpc.aio.AioRpcError as error:
            raise Lost(f"{error.code().name}: {error.details()}") from None
