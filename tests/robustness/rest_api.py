"""The REST face as the clients of a run call it, in JSON or in protobuf, over TLS."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, Protocol, TypeVar

import aiohttp
from google.protobuf.message import DecodeError

from kubewire.api.core.v1.config_map_pb2 import ConfigMap, ConfigMapList
from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.api.meta.v1.watch_event_pb2 import WatchEvent as WatchEventMessage
from kubewire.api.runtime.runtime_pb2 import Unknown
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
    WatchEvent,
    WatchQuery,
    config_map,
    event_of,
    namespace_and_name,
    stored_of,
)

_MAGIC: Final = b"k8s\0"
_BUFFER_BYTES: Final = 32 << 10
_PATCH: Final = "application/json-patch+json"

T = TypeVar("T")


class Encoding(Protocol):
    """How objects, lists, events and errors look on the wire."""

    name: str
    media_type: str
    stream_type: str

    def encode(self, message: ConfigMap) -> bytes: ...

    def object(self, data: bytes) -> ConfigMap: ...

    def listed(self, data: bytes) -> ConfigMapList: ...

    def status(self, data: bytes) -> Status: ...

    def events(self, data: bytes) -> list[tuple[str, bytes]]:
        """Types and encoded objects."""
        ...


class ProtobufEncoding:
    r"""`k8s\0` and `runtime.Unknown`; events with four bytes of length before them."""

    name = "rest-protobuf"
    media_type = "application/vnd.kubernetes.protobuf"
    stream_type = "application/vnd.kubernetes.protobuf;stream=watch"

    def encode(self, message: ConfigMap) -> bytes:
        wrapped = Unknown(raw=message.SerializeToString())
        wrapped.typeMeta.apiVersion, wrapped.typeMeta.kind = "v1", "ConfigMap"
        return _MAGIC + wrapped.SerializeToString()

    def object(self, data: bytes) -> ConfigMap:
        return ConfigMap.FromString(_unwrapped(data, "ConfigMap"))

    def listed(self, data: bytes) -> ConfigMapList:
        return ConfigMapList.FromString(_unwrapped(data, "ConfigMapList"))

    def status(self, data: bytes) -> Status:
        return Status.FromString(_unwrapped(data, "Status"))

    def events(self, data: bytes) -> list[tuple[str, bytes]]:
        found = []
        while data:
            end = 4 + int.from_bytes(data[:4], "big")
            if len(data) < end:
                raise Unexpected("a frame that goes beyond its chunk")
            event = WatchEventMessage.FromString(data[4:end])
            found.append((event.type, event.object.raw))
            data = data[end:]
        return found


class JsonEncoding:
    """JSON, events as lines. Only the fields a run uses are read."""

    name = "rest-json"
    media_type = "application/json"
    stream_type = "application/json;stream=watch"

    def encode(self, message: ConfigMap) -> bytes:
        meta = message.metadata
        metadata = {"namespace": meta.namespace, "name": meta.name, "labels": dict(meta.labels)}
        if meta.resourceVersion:
            metadata["resourceVersion"] = meta.resourceVersion
        content = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": dict(message.data)}
        return json.dumps(content).encode()

    def object(self, data: bytes) -> ConfigMap:
        return _from_json(_of_kind(data, "ConfigMap"))

    def listed(self, data: bytes) -> ConfigMapList:
        content = _of_kind(data, "ConfigMapList")
        page = ConfigMapList(items=[_from_json(item) for item in content["items"]])
        page.metadata.resourceVersion = content["metadata"]["resourceVersion"]
        setattr(page.metadata, "continue", content["metadata"].get("continue", ""))
        return page

    def status(self, data: bytes) -> Status:
        content = _of_kind(data, "Status")
        return Status(code=content["code"], reason=content.get("reason", ""), message=content.get("message", ""))

    def events(self, data: bytes) -> list[tuple[str, bytes]]:
        events = [json.loads(line) for line in data.splitlines()]
        return [(event["type"], json.dumps(event["object"]).encode()) for event in events]


def _unwrapped(data: bytes, kind: str) -> bytes:
    if not data.startswith(_MAGIC):
        raise Unexpected(f"no protobuf envelope: {data[:100]!r}")
    wrapped = Unknown.FromString(data[len(_MAGIC) :])
    if wrapped.typeMeta.kind != kind:
        raise Unexpected(f"want {kind}, got {wrapped.typeMeta.kind}")
    return wrapped.raw


def _of_kind(data: bytes, kind: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(data)
    if content.get("kind") != kind:
        raise Unexpected(f"want {kind}, got {data[:200]!r}")
    return content


def _from_json(content: dict[str, Any]) -> ConfigMap:
    message = ConfigMap(data=content.get("data", {}))
    metadata = content["metadata"]
    message.metadata.namespace, message.metadata.name = metadata.get("namespace", ""), metadata.get("name", "")
    message.metadata.resourceVersion = metadata["resourceVersion"]
    for field in ("labels", "annotations"):
        getattr(message.metadata, field).update(metadata.get(field, {}))
    return message


class RestApi:
    """Implements `Api` on connections of its own."""

    def __init__(self, access: Access, encoding: Encoding, seconds: float) -> None:
        self.name = f"{encoding.name}@{access.server}"
        self._encoding = encoding
        self._seconds = seconds
        self._url = f"{access.rest}/api/v1"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=access.trust, socket_factory=_small_socket),
            headers={"Authorization": f"Bearer {access.token}", "Accept": encoding.media_type},
            read_bufsize=_BUFFER_BYTES,
        )
        # What is repeated behind our back is done twice.
        self._session._retry_connection = False

    async def create_namespace(self, name: str) -> None:
        """What a run's objects lie in."""
        body = json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}).encode()
        await self._send("POST", "/namespaces", body, content_type=JsonEncoding.media_type)

    async def create(self, key: str, content: Content) -> Stored:
        path = self._path(namespace_and_name(key)[0])
        return self._object(await self._send("POST", path, self._encoding.encode(config_map(key, content))))

    async def update(self, key: str, content: Content, guard: int) -> Stored:
        body = self._encoding.encode(config_map(key, content, guard))
        return self._object(await self._send("PUT", self._path(*namespace_and_name(key)), body))

    async def patch(self, key: str, tag: str) -> Stored:
        body = json.dumps([{"op": "replace", "path": "/data/tag", "value": tag}]).encode()
        return self._object(await self._send("PATCH", self._path(*namespace_and_name(key)), body, content_type=_PATCH))

    async def delete(self, key: str, guard: int) -> int:
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"resourceVersion": str(guard)}}
        body = json.dumps(options).encode() if guard else b""
        path = self._path(*namespace_and_name(key))
        await self._send("DELETE", path, body, content_type=JsonEncoding.media_type)
        return 0  # the answer is a Status, which tells no revision

    async def get(self, key: str, version: str) -> Stored:
        query = {"resourceVersion": version} if version else {}
        return self._object(await self._send("GET", self._path(*namespace_and_name(key)), query=query))

    async def page(self, namespace: str, query: ListQuery) -> ListedPage:
        asked = {
            "resourceVersion": query.version,
            "resourceVersionMatch": query.match,
            "labelSelector": query.selector,
            "limit": str(query.limit or ""),
            "continue": query.token,
        }
        data = await self._send(
            "GET", self._path(namespace), query={name: text for name, text in asked.items() if text}
        )
        page = _decoded(self._encoding.listed, data)
        token = getattr(page.metadata, "continue")
        return ListedPage([stored_of(item) for item in page.items], int(page.metadata.resourceVersion), token)

    @asynccontextmanager
    async def watch(self, namespace: str, query: WatchQuery) -> AsyncIterator[Stream]:
        asked = {
            "watch": "1",
            "resourceVersion": query.version,
            "resourceVersionMatch": query.match,
            "sendInitialEvents": "" if query.initial is None else str(query.initial).lower(),
            "labelSelector": query.selector,
            "allowWatchBookmarks": "true" if query.bookmarks else "",
            "timeoutSeconds": str(query.seconds or ""),
        }
        parameters = {name: text for name, text in asked.items() if text}
        headers = {"Accept": self._encoding.stream_type}
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._session.get(
                    self._url + self._path(namespace), params=parameters, headers=headers, timeout=_ENDLESS
                )
            async with answer:
                if answer.status != 200:
                    raise _refused(await answer.read())
                yield self._events(answer)
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError is one
            raise Lost(repr(error)) from None

    async def close(self) -> None:
        await self._session.close()

    async def _events(self, answer: aiohttp.ClientResponse) -> Stream:
        pending = b""
        try:
            while True:
                data, is_whole = await answer.content.readchunk()
                pending += data
                if is_whole and pending:
                    yield self._batch(pending)
                    pending = b""
                elif not data and not is_whole:
                    return
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(repr(error)) from None

    def _batch(self, data: bytes) -> list[WatchEvent]:
        """The events of a chunk; what comes before an ERROR is handed out before the error is raised."""
        events = list[WatchEvent]()
        for type_, encoded in _decoded(self._encoding.events, data):
            if type_ == "ERROR":
                status = self._encoding.status(encoded)
                if events:
                    raise Unexpected("an error shares a chunk with events")
                raise Answered(status.code, status.reason, status.message)
            events.append(event_of(type_, _decoded(self._encoding.object, encoded)))
        return events

    async def _send(
        self, method: str, path: str, body: bytes = b"", *, query: dict[str, str] | None = None, content_type: str = ""
    ) -> bytes:
        headers = {"Content-Type": content_type or self._encoding.media_type} if body else {}
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=body or None,
                params=query,
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=self._seconds),
            ) as answer:
                data = await answer.read()
                if answer.status >= 300:
                    raise _refused(data)
                return data
        except (aiohttp.ClientError, OSError) as error:
            raise Lost(repr(error)) from None

    def _path(self, namespace: str, name: str = "") -> str:
        where = f"/namespaces/{namespace}" if namespace else ""
        return f"{where}/configmaps" + (f"/{name}" if name else "")

    def _object(self, data: bytes) -> Stored:
        return stored_of(_decoded(self._encoding.object, data))


_ENDLESS: Final = aiohttp.ClientTimeout(total=None, sock_connect=1.0)


def _small_socket(address: Any) -> socket.socket:  # noqa: ANN401 - aiohttp's own shape
    """A socket that takes in little while nobody reads, so that a stuck client is felt by the server."""
    family, type_, protocol = address[:3]
    made = socket.socket(family, type_, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    return made


def _decoded(decode: Callable[[bytes], T], data: bytes) -> T:
    try:
        return decode(data)
    except (DecodeError, ValueError, KeyError, TypeError) as error:
        raise Unexpected(f"an answer that cannot be read: {error!r}: {data[:200]!r}") from None


def _refused(data: bytes) -> Exception:
    """The Status of an error, in whichever encoding it came."""
    encoding: Encoding = ProtobufEncoding() if data.startswith(_MAGIC) else JsonEncoding()
    try:
        status = _decoded(encoding.status, data)
    except Unexpected as error:
        return error
    return Answered(status.code, status.reason, status.message)
