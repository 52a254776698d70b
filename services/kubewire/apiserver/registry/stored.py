"""Objects straight from the store, for the moments when the cache may be behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.cache.envelope import Undecodable
from kubewire.apiserver.registry.storage_failures import status_of
from kubewire.apiserver.storage.errors import StorageError
from kubewire.machinery import errors

if TYPE_CHECKING:
    from kubewire.apiserver.item import Item
    from kubewire.apiserver.registry.core import Core
    from kubewire.apiserver.registry.kinds import Kind
    from kubewire.apiserver.storage.store import Entry


async def read_stored(core: Core, kind: Kind, namespace: str, name: str) -> Item | None:
    """The object as it is now (linearizable), in the served version."""
    try:
        entry = await core.store.get(kind.key(namespace, name))
    except StorageError as error:
        raise status_of(error, kind.resource.group_resource, name, "get") from None
    return item_of(kind, namespace, name, entry)


def item_of(kind: Kind, namespace: str, name: str, entry: Entry | None) -> Item | None:
    """The served object in an entry of the store."""
    if entry is None:
        return None
    try:
        raw = kind.kept_raw(entry.key, entry.value)
    except Undecodable as error:
        raise errors.internal(str(error)) from None
    if kind.conversion is not None:
        raw = kind.conversion.to_served(raw)
    return kind.item(namespace, name, entry.revision, raw)
