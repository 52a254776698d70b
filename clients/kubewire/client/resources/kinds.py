"""How one kind is reached and read: through its typed service, or through ObjectService as bytes or as metadata."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Generic, cast

from google.protobuf.message import Message

from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource as ResourceMessage
from kubewire.api.meta.v1.object_meta_pb2 import ListMeta, ObjectMeta, PartialObjectMetadata
from kubewire.api.runtime.runtime_pb2 import TypeMeta, Unknown
from kubewire.client.objects import ApiObject, T
from kubewire.client.resources.methods import Verb, generic_path, typed_path
from kubewire.client.resources.options import View
from kubewire.machinery.gvk import GroupVersionResource
from kubewire.machinery.resources import Resource, builtin
from kubewire.rpc.v1.raw_responses_pb2 import RawList


class UnknownKind(LookupError):
    """The message class is not an object of any resource: the caller's mistake."""


class Kind(ABC, Generic[T]):
    """One kind as calls need it.

    Attributes:
        gvr: group, version and plural.
        address: `resource` of ObjectService's requests; empty for typed services, which need none.
        view: how much of each object is asked for; 0: the default of the method.
    """

    __slots__ = ("address", "gvr", "view")

    def __init__(self, gvr: GroupVersionResource, address: Sequence[bytes] = (), view: int = 0) -> None:
        self.gvr = gvr
        self.address = address
        self.view = view

    @abstractmethod
    def path(self, verb: Verb, subresource: str = "") -> str:
        """The method to call."""

    @abstractmethod
    def encode(self, obj: T) -> bytes:
        """An object as requests carry it."""

    @abstractmethod
    def decode(self, data: bytes) -> T:
        """An object as answers carry it. It is the caller's own and holds no memory but its own."""

    @abstractmethod
    def decode_list(self, data: bytes) -> tuple[ListMeta, list[T]]:
        """A page of a list."""

    def __str__(self) -> str:
        return str(self.gvr.group_resource)


class TypedKind(Kind[T]):
    """A kind by its message class, through its own service."""

    __slots__ = ("_message", "resource")

    def __init__(self, resource: Resource, message: type[T]) -> None:
        super().__init__(resource.gvr)
        self.resource = resource
        self._message = cast("type[Message]", message)

    def path(self, verb: Verb, subresource: str = "") -> str:
        """`/kubewire.rpc.core.v1.PodService/GetPod`."""
        return typed_path(self.resource, verb, subresource)

    def encode(self, obj: T) -> bytes:
        """The message."""
        return obj.SerializeToString()

    def decode(self, data: bytes) -> T:
        """The message."""
        return cast("T", self._message.FromString(data))

    def decode_list(self, data: bytes) -> tuple[ListMeta, list[T]]:
        """The kind's list message."""
        page = RawList.FromString(data)
        read = self._message.FromString
        return page.metadata, cast("list[T]", [read(item) for item in page.items])


class DynamicObject:
    """An object of any kind as bytes. Read-only; `decode` gives the message.

    Attributes:
        api_version, kind: what it is an object of.
        raw: the kind's message.
    """

    __slots__ = ("_metadata", "api_version", "kind", "raw")

    def __init__(self, api_version: str, kind: str, raw: bytes) -> None:
        self.api_version = api_version
        self.kind = kind
        self.raw = raw
        self._metadata: ObjectMeta | None = None

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata, read when first asked for. Changing it changes nothing."""
        if self._metadata is None:
            self._metadata = PartialObjectMetadata.FromString(self.raw).metadata
        return self._metadata

    def decode(self, message: type[T]) -> T:
        """The object as a message of its kind's class."""
        return cast("T", cast("type[Message]", message).FromString(self.raw))

    def SerializeToString(self, *, deterministic: bool = True) -> bytes:  # noqa: ARG002, N802 - as messages have it
        """The bytes as they are."""
        return self.raw


class GenericKind(Kind[DynamicObject]):
    """A kind by its name, through ObjectService."""

    __slots__ = ()

    def __init__(self, gvr: GroupVersionResource) -> None:
        super().__init__(gvr, (_address(gvr),))

    def path(self, verb: Verb, subresource: str = "") -> str:  # noqa: ARG002 - a field of the request
        """`/kubewire.rpc.v1.ObjectService/Get`."""
        return generic_path(verb)

    def encode(self, obj: DynamicObject) -> bytes:
        """As `runtime.Unknown`."""
        kind = TypeMeta(apiVersion=obj.api_version, kind=obj.kind)
        return Unknown(typeMeta=kind, raw=obj.raw).SerializeToString()

    def decode(self, data: bytes) -> DynamicObject:
        """From `runtime.Unknown`."""
        wrapped = Unknown.FromString(data)
        return DynamicObject(wrapped.typeMeta.apiVersion, wrapped.typeMeta.kind, wrapped.raw)

    def decode_list(self, data: bytes) -> tuple[ListMeta, list[DynamicObject]]:
        """From `runtime.Unknown` around the kind's list message."""
        wrapped = Unknown.FromString(data)
        api_version, kind = wrapped.typeMeta.apiVersion, wrapped.typeMeta.kind.removesuffix("List")
        page = RawList.FromString(wrapped.raw)
        return page.metadata, [DynamicObject(api_version, kind, item) for item in page.items]


class MetadataKind(Kind[PartialObjectMetadata]):
    """A kind by its name, metadata alone: what garbage collection and namespace deletion look at."""

    __slots__ = ()

    def __init__(self, gvr: GroupVersionResource) -> None:
        super().__init__(gvr, (_address(gvr),), View.METADATA)

    def path(self, verb: Verb, subresource: str = "") -> str:  # noqa: ARG002 - a field of the request
        """`/kubewire.rpc.v1.ObjectService/Get`."""
        return generic_path(verb)

    def encode(self, obj: PartialObjectMetadata) -> bytes:  # noqa: ARG002
        """Not possible: an object cannot be written without its body.

        Raises:
            TypeError: always; use a patch.
        """
        raise TypeError(f"{self}: metadata alone cannot be written; patch the object instead")

    def decode(self, data: bytes) -> PartialObjectMetadata:
        """From `runtime.Unknown`."""
        return PartialObjectMetadata.FromString(Unknown.FromString(data).raw)

    def decode_list(self, data: bytes) -> tuple[ListMeta, list[PartialObjectMetadata]]:
        """From `runtime.Unknown` around a list."""
        page = RawList.FromString(Unknown.FromString(data).raw)
        return page.metadata, [PartialObjectMetadata.FromString(item) for item in page.items]


@cache
def _resources() -> Mapping[str, Resource]:
    return {resource.message: resource for resource in builtin().all}


def resource_of(message: type[ApiObject]) -> Resource:
    """The resource whose objects are of a message class.

    Raises:
        UnknownKind: there is none.
    """
    name = cast("type[Message]", message).DESCRIPTOR.full_name
    found = _resources().get(name)
    if found is None:
        raise UnknownKind(f"no resource has objects of {name}: want a kind's class, such as Pod or Node")
    return found


def typed_kind(message: type[T]) -> TypedKind[T]:
    """A message class's kind.

    Raises:
        UnknownKind: its messages are not objects.
    """
    return TypedKind(resource_of(message), message)


def _address(gvr: GroupVersionResource) -> bytes:
    return ResourceMessage(group=gvr.group, version=gvr.version, resource=gvr.resource).SerializeToString()
