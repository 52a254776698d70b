"""The shapes objects are answered in: a kind's own message, or `runtime.Unknown` around it; whole, or metadata only.

A form turns objects into bytes without decoding them: what stands before an object depends on its length alone, so an
answer is joined from small headers and the bytes the cache holds.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Protocol

from kubewire.apiserver.rpc.metadata import metadata_only
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.wire import field, header

if TYPE_CHECKING:
    from kubewire.machinery.resources import Resource

VIEW_FULL: Final = 1
VIEW_METADATA: Final = 2
VIEW_NONE: Final = 3
"""`kubewire.rpc.v1.ObjectView`; 0, unspecified, is the whole object."""

_META_VERSION: Final = "meta.k8s.io/v1"


def _type_meta(api_version: str, kind: str) -> bytes:
    return field(1, field(1, api_version.encode()) + field(2, kind.encode()))


class Form(Protocol):
    """How the objects of one call look: some bytes depending on the length, then the object's or a part of it.

    Attributes:
        name: of what may be kept on pages and batches, which are of one resource.
    """

    name: str

    def body(self, raw: bytes) -> bytes:
        """What of an object's message is shown."""
        ...

    def before(self, length: int) -> bytes:
        """What stands before a body of this length where an object stands alone; nothing does within a list."""
        ...

    def before_list(self, length: int) -> bytes:
        """What stands before a list message of this length."""
        ...


class TypedForm:
    """The kind's own message."""

    name = "grpc"

    def body(self, raw: bytes) -> bytes:
        """All of it."""
        return raw

    def before(self, length: int) -> bytes:  # noqa: ARG002 - the method's own type says what it is
        """Nothing."""
        return b""

    before_list = before


class TypedMetadataForm(TypedForm):
    """The kind's own message with nothing but its metadata."""

    name = "grpc metadata"

    def body(self, raw: bytes) -> bytes:
        """Field 1 alone."""
        return metadata_only(raw)


class UnknownForm:
    """`runtime.Unknown`: typeMeta, and the kind's message in `raw`."""

    name = "unknown"

    def __init__(self, api_version: str, kind: str) -> None:
        self._type = _type_meta(api_version, kind)
        self._list_type = _type_meta(api_version, kind + "List")

    def body(self, raw: bytes) -> bytes:
        """All of it."""
        return raw

    def before(self, length: int) -> bytes:
        """The type, and the beginning of `raw`."""
        return self._type + header(2, length)

    def before_list(self, length: int) -> bytes:
        """The list's type, and the beginning of `raw`."""
        return self._list_type + header(2, length)


class UnknownMetadataForm(UnknownForm):
    """`runtime.Unknown` around `meta.k8s.io/v1` PartialObjectMetadata."""

    name = "unknown metadata"

    def __init__(self) -> None:
        super().__init__(_META_VERSION, "PartialObjectMetadata")

    def body(self, raw: bytes) -> bytes:
        """Field 1 alone."""
        return metadata_only(raw)


TYPED: Final = TypedForm()
TYPED_METADATA: Final = TypedMetadataForm()
_UNKNOWN_METADATA: Final = UnknownMetadataForm()


def typed(view: int) -> Form:
    """The form of typed services for a view."""
    return TYPED_METADATA if view == VIEW_METADATA else TYPED


def generic(resource: Resource, subresource: str, view: int) -> Form:
    """The form of ObjectService for a view of objects of a resource, or of what one of its subresources exchanges."""
    if view == VIEW_METADATA:
        return _UNKNOWN_METADATA
    exchanged = resource.subresources.get(subresource)
    return _unknown(exchanged.kind if exchanged else resource.gvk)


def status() -> Form:
    """The form in which ObjectService answers with a `meta.v1.Status`."""
    return _unknown(GroupVersionKind("", "v1", "Status"))


@lru_cache(maxsize=1024)
def _unknown(kind: GroupVersionKind) -> UnknownForm:
    return UnknownForm(kind.api_version, kind.kind)


def encode(form: Form, raw: bytes) -> bytes:
    """One object, standing alone."""
    body = form.body(raw)
    return form.before(len(body)) + body


def result(form: Form, view: int, raw: bytes) -> bytes:
    """A batch's result for one object: `object`, field 1, unless nothing but success is wanted."""
    if view == VIEW_NONE:
        return b""
    data = encode(form, raw)
    return header(1, len(data)) + data
