"""The metadata the server owns: set when an object is born, kept when it is written again."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Protocol, cast
from uuid import UUID

from kubewire.machinery import errors
from kubewire.machinery.names import generated_name

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta


class _HasMetadata(Protocol):
    @property
    def metadata(self) -> ObjectMeta: ...


def metadata_of(obj: Message) -> ObjectMeta:
    """The metadata of any stored kind; every one of them has the field."""
    return cast("_HasMetadata", obj).metadata


def fill_new(meta: ObjectMeta, now_seconds: int, random: Random) -> None:
    """What only the server may say of a new object: a uid, when it was made, and that it is not being deleted."""
    meta.uid = str(UUID(int=random.getrandbits(128), version=4))
    set_seconds(meta, "creationTimestamp", now_seconds)
    meta.ClearField("deletionTimestamp")
    meta.ClearField("deletionGracePeriodSeconds")
    meta.ClearField("selfLink")


def generate_name(meta: ObjectMeta, random: Random) -> bool:
    """Make a name from `generateName` if there is no name; whether one was made."""
    if meta.name or not meta.generateName:
        return False
    meta.name = generated_name(meta.generateName, random)
    return True


def keep_born(new: ObjectMeta, old: ObjectMeta) -> None:
    """Put back what no update may change or remove: uid if left out, birth, and the deletion once it began."""
    if not new.uid:
        new.uid = old.uid
    new.creationTimestamp.CopyFrom(old.creationTimestamp)
    if old.HasField("deletionTimestamp"):
        new.deletionTimestamp.CopyFrom(old.deletionTimestamp)
    if old.HasField("deletionGracePeriodSeconds") and not new.HasField("deletionGracePeriodSeconds"):
        new.deletionGracePeriodSeconds = old.deletionGracePeriodSeconds
    new.ClearField("selfLink")


def set_seconds(meta: ObjectMeta, field: str, seconds: int) -> None:
    """Set a time; Kubernetes' times have whole seconds and, on the wire, an explicit zero for the rest."""
    time = getattr(meta, field)
    time.seconds = seconds
    time.nanos = 0


def match_namespace(meta: ObjectMeta, namespace: str) -> None:
    """Put the request's namespace into the object; for cluster-scoped kinds, none.

    Raises:
        StatusError: 400, the object names another namespace.
    """
    if meta.namespace == namespace:
        return
    if meta.namespace and namespace:
        raise errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    meta.namespace = namespace


def match_name(meta: ObjectMeta, name: str, namespace: str) -> None:
    """Check that an object sent to a name is the object of that name.

    Raises:
        StatusError: 400, it has no name, or another name or namespace.
    """
    if not meta.name:
        raise errors.bad_request(
            f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )
    if meta.name != name:
        raise errors.bad_request(f"the name of the object ({meta.name}) does not match the name on the URL ({name})")
    if namespace and meta.namespace and meta.namespace != namespace:
        raise errors.bad_request(
            f"the namespace of the object ({meta.namespace}) does not match the namespace on the request ({namespace})"
        )
