"""The resourceVersion inside an object's bytes.

It is etcd's revision, so it cannot be stored; it is merged in when an object is read. Appending a second `metadata`
field that holds only the resourceVersion does that without decoding: protobuf merges repeated occurrences of a
message field, and the last value of a scalar wins.
"""

from __future__ import annotations

from kubewire.apiserver.item import Item

_METADATA = 0x0A  # field 1, a message
_RESOURCE_VERSION = 0x32  # field 6, text
_HEADS = tuple(bytes((_METADATA, digits + 2, _RESOURCE_VERSION, digits)) for digits in range(20))
"""What stands before a version of so many digits."""


def resource_version_field(revision: int) -> bytes:
    """A `metadata` field that sets the resourceVersion and nothing else."""
    digits = b"%d" % revision
    return _HEADS[len(digits)] + digits


def with_revision(item: Item, revision: int) -> Item:
    """The same object under another revision, as a deletion shows an object's last state."""
    old = resource_version_field(item.revision)
    body = item.raw.removesuffix(old)
    return Item(item.resource, item.namespace, item.name, revision, body + resource_version_field(revision))
