"""What all objects have in common, for code that is generic over kinds: metadata, a key, a reference."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeVar

from google.protobuf.descriptor import Descriptor

from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta


class ApiObject(Protocol):
    """Any object of the API: the generated message classes of all kinds, and `DynamicObject`."""

    @property
    def metadata(self) -> ObjectMeta:
        """Name, labels, version and so on."""
        ...

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes:  # noqa: N802 - protobuf's name
        """The object's bytes."""
        ...


T = TypeVar("T", bound=ApiObject)


class ObjectKey(NamedTuple):
    """Which object of a kind: what queues hold. `namespace` is empty for cluster-scoped kinds."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @classmethod
    def parse(cls, text: str) -> ObjectKey:
        """From `namespace/name` or `name`."""
        namespace, _, name = text.rpartition("/")
        return cls(namespace, name)


def key_of(obj: ApiObject) -> ObjectKey:
    """An object's key."""
    metadata = obj.metadata
    return ObjectKey(metadata.namespace, metadata.name)


def kind_of(obj: ApiObject) -> str:
    """An object's kind, such as `Pod`."""
    descriptor: Descriptor | None = getattr(obj, "DESCRIPTOR", None)
    return descriptor.name if descriptor is not None else str(getattr(obj, "kind", ""))
