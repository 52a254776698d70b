"""What a write may do to metadata, the same for every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar, cast

from google.protobuf.message import Message

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta


class _HasMetadata(Protocol):
    @property
    def metadata(self) -> ObjectMeta: ...


def metadata_of(obj: Message) -> ObjectMeta:
    """The metadata of an object of any kind."""
    return cast("_HasMetadata", obj).metadata


class _HasFields(Protocol):
    """A message whose field names are known only when it runs."""

    def HasField(self, name: str) -> bool: ...  # noqa: N802 - protobuf's name

    def ClearField(self, name: str) -> None: ...  # noqa: N802 - protobuf's name


M = TypeVar("M", bound=Message)


def snapshot(message: M) -> M:
    """A copy that does not change with the message it came from."""
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def clear_field(obj: Message, name: str) -> None:
    """Clear a field named at run time."""
    cast("_HasFields", obj).ClearField(name)


def keep_field(new: Message, old: Message, name: str) -> None:
    """Undo in `new` whatever was done to its submessage `name`."""
    if cast("_HasFields", old).HasField(name):
        target: Message = getattr(new, name)
        target.CopyFrom(getattr(old, name))
    else:
        clear_field(new, name)


def drop_if_empty(obj: Message, name: str) -> None:
    """Clear a submessage that a change has left empty: in stored form it is absent."""
    if not getattr(obj, name).ListFields():
        clear_field(obj, name)


def prepare_new_metadata(meta: ObjectMeta) -> None:
    """A new object is not being deleted."""
    meta.ClearField("deletionTimestamp")
    meta.ClearField("deletionGracePeriodSeconds")


def prepare_changed_metadata(new: ObjectMeta, old: ObjectMeta) -> None:
    """Fill in what authors may leave out of an update, and what no update changes.

    The uid may be left out but not changed; creation and deletion times and the generation are the server's.
    """
    new.generation = old.generation
    if not old.HasField("generation"):
        new.ClearField("generation")
    if not new.uid and old.uid:
        new.uid = old.uid
    if old.HasField("creationTimestamp"):
        new.creationTimestamp.CopyFrom(old.creationTimestamp)
    if old.HasField("deletionTimestamp"):
        new.deletionTimestamp.CopyFrom(old.deletionTimestamp)
    if old.HasField("deletionGracePeriodSeconds") and not new.HasField("deletionGracePeriodSeconds"):
        new.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds


def freeze_metadata(new: ObjectMeta, old: ObjectMeta) -> None:
    """Undo what a status update did to metadata, for kinds whose status updates may not change it."""
    for name in ("labels", "annotations", "ownerReferences", "finalizers"):
        clear_field(new, name)
        getattr(new, name).MergeFrom(getattr(old, name))
