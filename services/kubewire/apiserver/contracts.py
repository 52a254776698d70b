"""What the faces (gRPC, REST) and the core agree on.

A face turns a request into a `Call`, a `Body` and options, asks `Objects`, and turns the answer into bytes. All
rules of the API (authorization, defaults, validation, conflicts) live behind `Objects`, so that both faces have
the same answers and the same errors: every method raises `kubewire.machinery.errors.StatusError` and nothing else
(besides cancellation).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol, TypeAlias

from kubewire.apiserver.item import Batch, Item, Page
from kubewire.apiserver.options import DeleteOptions, GetOptions, ListOptions, WatchOptions, WriteOptions
from kubewire.machinery.errors import StatusError
from kubewire.machinery.resources import Resource

Extra: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]
"""What is known of a user besides: keys in order, each with its values."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling, as `authentication.k8s.io` UserInfo."""

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Extra = ()


@dataclass(slots=True)
class Call:
    """One request: who asks, of what, and why.

    Attributes:
        namespace: empty for cluster-scoped kinds and for all namespaces.
        name: empty where the verb has none.
        subresource: "" or e.g. "status".
        user_agent: of the client; its first word is the default field manager.
        cause: which object version made the caller act (free text `kind/namespace/name@version`), for the record.
        received_seconds: wall clock at which the request arrived.
        warnings: filled by the core; the REST face sends them as Warning headers, gRPC as trailing metadata.
    """

    identity: Identity
    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    user_agent: str = ""
    cause: str = ""
    received_seconds: float = 0.0
    warnings: list[str] = field(default_factory=list)


class Encoding(Enum):
    """How the bytes of a `Body` are to be read."""

    PROTOBUF = "protobuf"  # the message alone, as gRPC carries it
    ENVELOPE = "application/vnd.kubernetes.protobuf"  # `k8s\0` and runtime.Unknown
    JSON = "application/json"
    YAML = "application/yaml"


@dataclass(frozen=True, slots=True)
class Body:
    """An object as the client sent it; decoded by the core only after the caller is authorized."""

    data: bytes
    encoding: Encoding


class PatchType(Enum):
    """Kinds of patches, by their media type."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY_YAML = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch and its kind."""

    type: PatchType
    data: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """The object after a write; `created` tells whether it did not exist before."""

    item: Item
    created: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """Result of a delete: `is_gone` False means it only began (finalizers, grace period)."""

    item: Item
    is_gone: bool


class Watch(Protocol):
    """A running watch: an asynchronous iterator of batches that must be closed.

    Iteration ends normally at the timeout; it raises StatusError 410 (Expired) when history is gone and 503 when
    the watcher was too slow: the client resumes from the last version it saw.
    """

    def __aiter__(self) -> AsyncIterator[Batch]: ...

    async def aclose(self) -> None:
        """End it; harmless if it has ended."""
        ...


class Objects(Protocol):
    """Every verb on every resource."""

    async def get(self, call: Call, options: GetOptions) -> Item:
        """The object; NotFound if there is none."""
        ...

    async def list(self, call: Call, options: ListOptions) -> Page:
        """A page of objects, consistent with the pages before it."""
        ...

    async def watch(self, call: Call, options: WatchOptions) -> Watch:
        """Changes from where the options say; close what it returns."""
        ...

    async def create(self, call: Call, body: Body, options: WriteOptions) -> Written:
        """A new object, or one of the subresources that are created (bindings, evictions, tokens)."""
        ...

    async def create_many(
        self, call: Call, bodies: Sequence[Body], options: WriteOptions
    ) -> Sequence[Written | StatusError]:
        """New objects, each in its own transaction; results in the order of the bodies.

        Of a subresource, each body names the object that it is about.
        """
        ...

    async def update(self, call: Call, body: Body, options: WriteOptions) -> Written:
        """The object, or its subresource, as the body says it."""
        ...

    async def patch(self, call: Call, patch: Patch, options: WriteOptions) -> Written:
        """The object with a patch applied, again and again until nobody has written it in between."""
        ...

    async def delete(self, call: Call, options: DeleteOptions) -> Deleted:
        """Delete, or begin to where finalizers or a grace period hold the object."""
        ...

    async def delete_many(
        self, call: Call, names: Sequence[str], options: DeleteOptions
    ) -> Sequence[Deleted | StatusError]:
        """Delete by name; results in the order of the names."""
        ...

    async def delete_collection(self, call: Call, options: DeleteOptions, selection: ListOptions) -> Sequence[Item]:
        """Delete what a selection finds; the objects that were found."""
        ...
