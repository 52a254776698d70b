"""What the caches hold: objects as bytes (`Item`), changes of them (`Event`), changes delivered together (`Batch`).

Bytes come first: an item is never decoded unless something asks for its labels, fields or message, and every
derived form (JSON, table row, frame) is made at most once and kept beside the bytes. Items are immutable in
meaning; the slots that start with an underscore are memory of derived forms only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from kubewire.apiserver.selectable import SelectableFields
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
_PARTIAL: Final = "k8s.io.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata"


def varint(value: int) -> bytes:
    """Protobuf's variable-length form of a non-negative number."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class Item:
    """One object in one version.

    Attributes:
        resource: what it is an object of, in the version that `raw` is in.
        namespace: empty for cluster-scoped kinds.
        revision: etcd's mod revision; `resource_version` is its text.
        raw: the protobuf message, with the resourceVersion merged into its metadata.
        forms: derived bytes by name ("json", "row", ...), filled by whoever makes them.
    """

    __slots__ = (
        "_framed",
        "_labels",
        "_metadata",
        "_selectable",
        "forms",
        "name",
        "namespace",
        "raw",
        "resource",
        "revision",
    )

    def __init__(self, resource: Resource, namespace: str, name: str, revision: int, raw: bytes) -> None:
        self.resource = resource
        self.namespace = namespace
        self.name = name
        self.revision = revision
        self.raw = raw
        self.forms: dict[str, bytes] | None = None
        self._framed: bytes | None = None
        self._labels: Mapping[str, str] | None = None
        self._selectable: Mapping[str, str] | None = None
        self._metadata: ObjectMeta | None = None

    @property
    def key(self) -> str:
        """`namespace/name`, or the name alone: unique within the resource, and the order of lists."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def resource_version(self) -> str:
        """The version clients see."""
        return str(self.revision)

    @property
    def framed(self) -> bytes:
        """The bytes as field 2 (`items`) of the kind's list message: lists are these joined."""
        if self._framed is None:
            self._framed = b"\x12" + varint(len(self.raw)) + self.raw
        return self._framed

    @property
    def metadata(self) -> ObjectMeta:
        """The object's metadata alone. Read-only: it is shared by everyone who asks."""
        if self._metadata is None:
            self._metadata = self._parse_metadata()
        return self._metadata

    @property
    def labels(self) -> Mapping[str, str]:
        """Labels, as selectors match them. Kept alone: parsed metadata holds on to the whole object's bytes."""
        if self._labels is None:
            self._labels = dict((self._metadata or self._parse_metadata()).labels)
        return self._labels

    @property
    def selectable(self) -> Mapping[str, str]:
        """Values of the fields that field selectors of this kind may name."""
        if self._selectable is None:
            self._selectable = SelectableFields(self.resource, self.namespace, self.name, self.raw)
        return self._selectable

    @property
    def message(self) -> Message:
        """The decoded object, parsed anew at each call so that callers own what they get."""
        parsed = message_class(self.resource.message)()
        parsed.ParseFromString(self.raw)
        return parsed

    def _parse_metadata(self) -> ObjectMeta:
        metadata: ObjectMeta = message_class(_PARTIAL).FromString(self.raw).metadata  # type: ignore[attr-defined]  # looked up by name
        return metadata

    def remember(self, form: str, data: bytes) -> bytes:
        """Keep a derived form and return it."""
        if self.forms is None:
            self.forms = {}
        self.forms[form] = data
        return data

    def __repr__(self) -> str:
        return f"Item({self.resource.plural} {self.key} @{self.revision})"


class Event:
    """One change of one object, as watchers of its resource see it.

    Attributes:
        type: ADDED, MODIFIED, DELETED, or BOOKMARK (then `item` is None and only `revision` counts).
        item: the object after the change; for DELETED its last state, carrying the revision of the deletion.
        previous: the object before the change, None for ADDED: selectors need it to turn a change into an
            addition or a removal.
        initial_end: for BOOKMARK: it closes the initial state (annotation `k8s.io/initial-events-end`).
        forms: derived frames by encoding name, filled by the faces, shared by every watcher.
    """

    __slots__ = ("forms", "initial_end", "item", "previous", "revision", "type")

    def __init__(
        self, type: EventType, item: Item | None, previous: Item | None, revision: int, *, initial_end: bool = False
    ) -> None:
        self.type = type
        self.item = item
        self.previous = previous
        self.revision = revision
        self.initial_end = initial_end
        self.forms: dict[str, bytes] | None = None

    def __repr__(self) -> str:
        return f"Event({self.type} {self.item!r} @{self.revision})"


class Batch:
    """Events delivered together to one or many watchers with the same selection, in order of revision.

    `forms` holds the whole batch's bytes by encoding, so that two hundred watchers cost one encoding.
    """

    __slots__ = ("events", "forms")

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = events
        self.forms: dict[str, bytes] = {}

    @property
    def revision(self) -> int:
        """The revision up to which a receiver of this batch has seen everything."""
        return self.events[-1].revision


class Page:
    """A consistent part of a list.

    Attributes:
        items: in key order.
        revision: the snapshot's revision, the list's resourceVersion.
        continue_token: opaque; empty on the last page.
        remaining: how many more items follow, None if unknown (selectors) or if this is the last page.
        forms: derived bytes of the whole page by encoding; shared by callers that got the same page object.
        item_forms: derived bytes of the items alone, nothing of the revision in them; shared by every page of the
            same items, so that they outlive changes elsewhere that only move the revision on.
    """

    __slots__ = ("continue_token", "forms", "item_forms", "items", "remaining", "revision")

    def __init__(
        self,
        items: Sequence[Item],
        revision: int,
        *,
        continue_token: str = "",
        remaining: int | None = None,
        item_forms: dict[str, bytes] | None = None,
    ) -> None:
        self.items = items
        self.revision = revision
        self.continue_token = continue_token
        self.remaining = remaining
        self.forms: dict[str, bytes] = {}
        self.item_forms: dict[str, bytes] = {} if item_forms is None else item_forms
