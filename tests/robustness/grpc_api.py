"""The gRPC face as the clients of a run call it: the typed service and the generic one, as plain callables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message

from kubewire.api.core.v1.config_map_pb2 import ConfigMap, ConfigMapList
from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource
from kubewire.api.meta.v1.options_pb2 import DeleteOptions, GetOptions, ListOptions
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.rpc.core.v1 import config_map_service_pb2 as typed
from kubewire.rpc.v1 import object_service_pb2 as generic
from kubewire.rpc.v1.options_pb2 import PATCH_TYPE_MERGE, PATCH_TYPE_STRATEGIC
from kubewire.rpc.v1.raw_responses_pb2 import RawFailure
from tests.robustness.api import (
    Access,
    Answered,
    Content,
    ListedPage,
    ListQuery,
    Lost,
    Stored,
    Stream,
    Unexpected,
    WatchQuery,
    config_map,
    event_of,
    namespace_and_name,
    stored_of,
)

_DETAILS: Final = "grpc-status-details-bin"
_WINDOW_BYTES: Final = 64 << 10
_NO_ANSWER: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
    }
)
"""Codes that the library itself ends a call with when a connection breaks."""

T = TypeVar("T")


class Dialect(Protocol):
    """How one of the two services words requests, and where it puts objects."""

    name: str
    service: str

    def create(self, message: ConfigMap) -> tuple[str, Message]: ...

    def update(self, message: ConfigMap) -> tuple[str, Message]: ...

    def patch(self, key: str, patch: bytes) -> tuple[str, Message]: ...

    def delete(self, key: str, options: DeleteOptions) -> tuple[str, Message]: ...

    def get(self, key: str, options: GetOptions) -> tuple[str, Message]: ...

    def list_page(self, namespace: str, options: ListOptions) -> tuple[str, Message]: ...

    def watch(self, namespace: str, options: ListOptions) -> tuple[str, Message]: ...

    def object(self, data: bytes) -> ConfigMap: ...

    def listed(self, data: bytes) -> ConfigMapList: ...

    def events(self, data: bytes) -> list[tuple[str, ConfigMap]]: ...


class TypedDialect:
    """`ConfigMapService`."""

    name = "grpc"
    service = "kubewire.rpc.core.v1.ConfigMapService"

    def create(self, message: ConfigMap) -> tuple[str, Message]:
        return "CreateConfigMap", typed.CreateConfigMapRequest(config_map=message)

    def update(self, message: ConfigMap) -> tuple[str, Message]:
        return "UpdateConfigMap", typed.UpdateConfigMapRequest(config_map=message)

    def patch(self, key: str, patch: bytes) -> tuple[str, Message]:
        namespace, name = namespace_and_name(key)
        request = typed.PatchConfigMapRequest(namespace=namespace, name=name, patch=patch, patch_type=PATCH_TYPE_MERGE)
        return "PatchConfigMap", request

    def delete(self, key: str, options: DeleteOptions) -> tuple[str, Message]:
        namespace, name = namespace_and_name(key)
        return "DeleteConfigMap", typed.DeleteConfigMapRequest(namespace=namespace, name=name, options=options)

    def get(self, key: str, options: GetOptions) -> tuple[str, Message]:
        namespace, name = namespace_and_name(key)
        return "GetConfigMap", typed.GetConfigMapRequest(namespace=namespace, name=name, options=options)

    def list_page(self, namespace: str, options: ListOptions) -> tuple[str, Message]:
        return "ListConfigMaps", typed.ListConfigMapsRequest(namespace=namespace, options=options)

    def watch(self, namespace: str, options: ListOptions) -> tuple[str, Message]:
        return "WatchConfigMaps", typed.WatchConfigMapsRequest(namespace=namespace, options=options)

    def object(self, data: bytes) -> ConfigMap:
        return ConfigMap.FromString(data)

    def listed(self, data: bytes) -> ConfigMapList:
        return ConfigMapList.FromString(data)

    def events(self, data: bytes) -> list[tuple[str, ConfigMap]]:
        return [(event.type, event.object) for event in typed.WatchConfigMapsResponse.FromString(data).events]


_RESOURCE: Final = GroupVersionResource(version="v1", resource="configmaps")


class GenericDialect:
    """`ObjectService`."""

    name = "grpc-generic"
    service = "kubewire.rpc.v1.ObjectService"

    def create(self, message: ConfigMap) -> tuple[str, Message]:
        return "Create", generic.CreateRequest(object=_wrapped(message))

    def update(self, message: ConfigMap) -> tuple[str, Message]:
        return "Update", generic.UpdateRequest(object=_wrapped(message))

    def patch(self, key: str, patch: bytes) -> tuple[str, Message]:
        namespace, name = namespace_and_name(key)
        request = generic.PatchRequest(
            namespace=namespace, name=name, patch=patch, patch_type=PATCH_TYPE_STRATEGIC, resource=_RESOURCE
        )
        return "Patch", request

    def delete(self, key: str, options: DeleteOptions) -> tuple[str, Message]:
        namespace, name = namespace_and_name(key)
        return "Delete", generic.DeleteRequest(namespace=namespace, name=name, options=options, resource=_RESOURCE)

    def get(self, key: str, options: GetOptions) -> tuple[str, Message]:
        namespace, name = namespace_and_name(key)
        return "Get", generic.GetRequest(namespace=namespace, name=name, options=options, resource=_RESOURCE)

    def list_page(self, namespace: str, options: ListOptions) -> tuple[str, Message]:
        return "List", generic.ListRequest(namespace=namespace, options=options, resource=_RESOURCE)

    def watch(self, namespace: str, options: ListOptions) -> tuple[str, Message]:
        request = generic.WatchRequest(
            namespace=namespace, options=options, resource=_RESOURCE, batch_window_milliseconds=0
        )
        return "Watch", request

    def object(self, data: bytes) -> ConfigMap:
        return ConfigMap.FromString(Unknown.FromString(data).raw)

    def listed(self, data: bytes) -> ConfigMapList:
        return ConfigMapList.FromString(Unknown.FromString(data).raw)

    def events(self, data: bytes) -> list[tuple[str, ConfigMap]]:
        events = generic.WatchResponse.FromString(data).events
        return [(event.type, ConfigMap.FromString(event.object.raw)) for event in events]


def _wrapped(message: ConfigMap) -> Unknown:
    wrapped = Unknown(raw=message.SerializeToString())
    wrapped.typeMeta.apiVersion, wrapped.typeMeta.kind = "v1", "ConfigMap"
    return wrapped


class GrpcApi:
    """Implements `Api` on a channel of its own."""

    def __init__(self, access: Access, dialect: Dialect, seconds: float) -> None:
        self.name = f"{dialect.name}@{access.server}"
        self._dialect = dialect
        self._seconds = seconds
        self._metadata = (("authorization", f"Bearer {access.token}"),)
        self._channel = grpc.aio.insecure_channel(
            access.grpc,
            options=[
                ("grpc.initial_reconnect_backoff_ms", 50),
                ("grpc.min_reconnect_backoff_ms", 100),
                ("grpc.max_reconnect_backoff_ms", 200),
                ("grpc.use_local_subchannel_pool", 1),
                # What a client that does not read takes in anyway is small and stays so.
                ("grpc.http2.bdp_probe", 0),
                ("grpc.http2.lookahead_bytes", _WINDOW_BYTES),
            ],
        )

    async def create(self, key: str, content: Content) -> Stored:
        return self._object(await self._call(*self._dialect.create(config_map(key, content))))

    async def update(self, key: str, content: Content, guard: int) -> Stored:
        return self._object(await self._call(*self._dialect.update(config_map(key, content, guard))))

    async def patch(self, key: str, tag: str) -> Stored:
        return self._object(await self._call(*self._dialect.patch(key, b'{"data":{"tag":"%b"}}' % tag.encode())))

    async def delete(self, key: str, guard: int) -> int:
        options = DeleteOptions()
        if guard:
            options.preconditions.resourceVersion = str(guard)
        return self._object(await self._call(*self._dialect.delete(key, options))).revision

    async def get(self, key: str, version: str) -> Stored:
        return self._object(await self._call(*self._dialect.get(key, GetOptions(resourceVersion=version))))

    async def page(self, namespace: str, query: ListQuery) -> ListedPage:
        options = ListOptions(resourceVersion=query.version, resourceVersionMatch=query.match)
        options.labelSelector, options.limit = query.selector, query.limit
        setattr(options, "continue", query.token)
        data = await self._call(*self._dialect.list_page(namespace, options))
        page = _decoded(self._dialect.listed, data)
        token = getattr(page.metadata, "continue")
        return ListedPage([stored_of(item) for item in page.items], int(page.metadata.resourceVersion), token)

    @asynccontextmanager
    async def watch(self, namespace: str, query: WatchQuery) -> AsyncIterator[Stream]:
        options = ListOptions(resourceVersion=query.version, resourceVersionMatch=query.match)
        options.labelSelector, options.allowWatchBookmarks = query.selector, query.bookmarks
        if query.initial is not None:
            options.sendInitialEvents = query.initial
        if query.seconds:
            options.timeoutSeconds = query.seconds
        method, request = self._dialect.watch(namespace, options)
        callable_: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(self._path(method))
        call = callable_(request.SerializeToString(), metadata=self._metadata)
        try:
            async with asyncio.timeout(self._seconds):
                await call.initial_metadata()
            if call.done():
                await call.read()  # raises what it ended with
            yield self._events(call)
        except grpc.aio.AioRpcError as error:
            raise _meaning(error) from None
        except TimeoutError:
            raise Lost("the watch was not opened in time") from None
        finally:
            call.cancel()

    async def close(self) -> None:
        await self._channel.close()

    async def _events(self, call: grpc.aio.UnaryStreamCall[bytes, bytes]) -> Stream:
        try:
            async for data in call:
                yield [event_of(*event) for event in _decoded(self._dialect.events, data)]
        except grpc.aio.AioRpcError as error:
            raise _meaning(error) from None

    async def _call(self, method: str, request: Message) -> bytes:
        callable_: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(self._path(method))
        try:
            return await callable_(request.SerializeToString(), metadata=self._metadata, timeout=self._seconds)
        except grpc.aio.AioRpcError as error:
            raise _meaning(error) from None

    def _path(self, method: str) -> str:
        return f"/{self._dialect.service}/{method}"

    def _object(self, data: bytes) -> Stored:
        return stored_of(_decoded(self._dialect.object, data))


def _decoded(decode: Callable[[bytes], T], data: bytes) -> T:
    try:
        return decode(data)
    except DecodeError as error:
        raise Unexpected(f"an answer that cannot be read: {error}") from None


def _meaning(error: grpc.aio.AioRpcError) -> Exception:
    """Whether a server said no, or nobody said anything."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS and isinstance(value, bytes):
            return _answered(value)
    if error.code() in _NO_ANSWER:
        return Lost(f"{error.code().name}: {error.details()}")
    return Unexpected(f"{error.code().name} without details: {error.details()}")


def _answered(details: bytes) -> Exception:
    for detail in RawFailure.FromString(details).details:
        status = Status()
        if detail.Unpack(status):
            return Answered(status.code, status.reason, status.message)
    return Unexpected("an error whose details hold no meta.v1.Status")
