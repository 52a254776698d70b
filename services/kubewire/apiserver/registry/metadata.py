"""The metadata the registry sets when an object is born, and what an object must have in common with its request.

What an update may not change is put back by the strategies.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from kubewire.machinery import errors
from kubewire.machinery.names import generated_name

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta


def fill_new(meta: ObjectMeta, now_seconds: int, random: Random) -> None:
    """What only the server may say of a new object: a uid, when it was made, and that it is not being deleted."""
    meta.uid = random_uid(random)
    set_seconds(meta, "creationTimestamp", now_seconds)
    meta.ClearField("deletionTimestamp")
    meta.ClearField("deletionGracePeriodSeconds")
    meta.ClearField("selfLink")


_RANDOM_BITS: Final = 0xFFFFFFFF_FFFF_0FFF_3FFF_FFFFFFFFFFFF
_VERSION_4: Final = 0x00000000_0000_4000_8000_000000000000


def random_uid(random: Random) -> str:
    """A random UUID (version 4)."""
    digits = f"{random.getrandbits(128) & _RANDOM_BITS | _VERSION_4:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def generate_name(meta: ObjectMeta, random: Random) -> bool:
    """Make a name from `generateName` if there is no name; whether one was made."""
    if meta.name or not meta.generateName:
        return False
    meta.name = generated_name(meta.generateName, random)
    return True


def set_seconds(meta: ObjectMeta, field: str, seconds: int) -> None:
    """Set a time; those of metadata have whole seconds."""
    time = getattr(meta, field)
    time.Clear()
    time.seconds = seconds


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
