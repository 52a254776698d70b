"""One request to a simulated server: which resource, which object, and in which form the answer goes out."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, TypeVar

from google.protobuf.message import Message

from kubewire.api.meta.v1.group_kind_pb2 import GroupVersionResource as ResourceMessage
from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadata
from kubewire.api.meta.v1.options_pb2 import ListOptions
from kubewire.api.runtime.runtime_pb2 import TypeMeta, Unknown
from kubewire.client.objects import ObjectKey
from kubewire.client.resources.methods import Verb
from kubewire.client.resources.options import View
from kubewire.client.testing.routes import Route
from kubewire.client.testing.selecting import matcher
from kubewire.machinery import errors
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, builtin
from kubewire.rpc.v1.raw_pb2 import RawObject, RawRequest

M = TypeVar("M", bound=Message)

Object = Any
"""A message of any kind."""


class Asked:
    """A request and its route. ObjectService differs from typed services here and nowhere else."""

    def __init__(self, route: Route, request: RawRequest) -> None:
        self.verb: Verb = route.verb
        self.request = request
        self.is_generic = route.resource is None
        self.resource: Resource = route.resource or _named(request)
        self.subresource = route.subresource or request.subresource

    @cached_property
    def object(self) -> bytes:
        """The request's one object, as its message's bytes."""
        return self.unwrap(b"".join(self.request.objects))

    @property
    def message(self) -> Object:
        """The request's one object."""
        return message_class(self.resource.message).FromString(self.object)

    @property
    def key(self) -> ObjectKey:
        """Which object the request is about."""
        request = self.request
        named = RawObject.FromString(self.object).metadata if request.objects else RawObject().metadata
        name = request.names[-1] if request.names else named.name
        return ObjectKey(request.namespace or named.namespace if self.resource.namespaced else "", name)

    def options(self, kind: type[M]) -> M:
        """The verb's options."""
        return kind.FromString(b"".join(self.request.options))

    def unwrap(self, data: bytes) -> bytes:
        """An object of the request without its wrapping."""
        return Unknown.FromString(data).raw if self.is_generic else data

    def select(self, raws: Sequence[bytes], options: ListOptions) -> list[bytes]:
        """Those of the objects that are in the request's namespace and match."""
        matches, read = matcher(options.labelSelector, options.fieldSelector), message_class(self.resource.message)
        namespace = self.request.namespace
        objects: list[tuple[bytes, Object]] = [(raw, read.FromString(raw)) for raw in raws]
        return [raw for raw, obj in objects if (not namespace or obj.metadata.namespace == namespace) and matches(obj)]

    def answer(self, obj: Object) -> bytes:
        """An object as it goes out alone."""
        return self.form(obj.SerializeToString())

    def form(self, raw: bytes) -> bytes:
        """An object's bytes as they go out alone or in an event."""
        data = self.part(raw)
        if not self.is_generic:
            return data
        if self.request.view == View.METADATA:
            return _wrap("meta.k8s.io/v1", "PartialObjectMetadata", data)
        return _wrap(self.resource.api_version, self.resource.kind, data)

    def part(self, raw: bytes) -> bytes:
        """An object's bytes as they go out within a list."""
        if self.request.view != View.METADATA:
            return raw
        metadata = PartialObjectMetadata()
        metadata.metadata.CopyFrom(PartialObjectMetadata.FromString(raw).metadata)
        return metadata.SerializeToString()

    def page(self, data: bytes) -> bytes:
        """A list as it goes out."""
        return _wrap(self.resource.api_version, self.resource.kind + "List", data) if self.is_generic else data


def _named(request: RawRequest) -> Resource:
    named = ResourceMessage.FromString(b"".join(request.resource))
    found = builtin().by_plural(named.group, named.version, named.resource)
    if found is None:
        raise errors.StatusError(404, errors.Reason.NOT_FOUND, f"no resource {named.resource!r} of {named.group!r}")
    return found


def _wrap(api_version: str, kind: str, raw: bytes) -> bytes:
    return Unknown(typeMeta=TypeMeta(apiVersion=api_version, kind=kind), raw=raw).SerializeToString()
