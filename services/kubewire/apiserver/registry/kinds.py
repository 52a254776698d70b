"""What a write needs to know of a kind, looked up once: message, strategy, defaults, place and form in the store.

A kind is kept in one version by the store and the cache; `kept_as` says which, for every version that is served.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.cache.kind import Kind as CachedKind
from kubewire.apiserver.cache.versioned import resource_version_field
from kubewire.apiserver.defaults.table import apply_defaults
from kubewire.apiserver.item import Item
from kubewire.apiserver.registry.conversions.table import conversion_of
from kubewire.apiserver.registry.deletion import Deletion
from kubewire.apiserver.registry.ownership import ownership_of
from kubewire.apiserver.registry.stored_forms import stored_form
from kubewire.apiserver.registry.templates import SpecMemory, is_templated, remembering
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import Resource, ResourceTable

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.managed_fields.of_messages import Ownership


def unknown_resource() -> StatusError:
    """What is asked for is not served, or not by the registry."""
    return StatusError(404, Reason.NOT_FOUND, "the server could not find the requested resource")


class Kind:
    """One resource in one version.

    Attributes:
        kept: the same kind in the version the cache holds.
        name: of the resource, as `pods` or `deployments.apps`.
        specs: what specs become when they are decoded and defaulted; None for kinds that are not made from templates.
    """

    def __init__(self, resource: Resource, kept: Resource) -> None:
        assert kept.storage is not None, f"{resource.group_resource} has no objects"
        self.resource: Final = resource
        self.kept: Final = kept
        self.name: Final = str(resource.group_resource)
        self.message: Final[type[Message]] = message_class(resource.message)
        is_template = is_templated(resource)
        strategy = strategy_for(resource)
        self.strategy: Final = remembering(strategy) if is_template else strategy
        self.specs: Final = SpecMemory() if is_template else None
        self.default: Final[Callable[[Message], None]] = partial(apply_defaults, resource)
        self.conversion: Final = conversion_of(resource)
        self.ttl_seconds: Final = kept.storage.ttl_seconds
        self.deletion: Final = Deletion(self.strategy, collects_garbage=not self.ttl_seconds)
        self._ownerships: dict[str, Ownership] = {}
        self._prefix: Final = kept.storage.prefix.encode() + b"/"
        self._form: Final = stored_form(kept)

    def key(self, namespace: str, name: str) -> bytes:
        """Where in the store an object is."""
        path = f"{namespace}/{name}" if namespace else name
        return self._prefix + path.encode()

    def ownership(self, subresource: str) -> Ownership:
        """How writes to the object ("") or to one of its subresources change who owns its fields."""
        found = self._ownerships.get(subresource)
        if found is None:
            found = ownership_of(self.resource, self.message, self.strategy, subresource)
            self._ownerships[subresource] = found
        return found

    def stored_value(self, raw: bytes) -> bytes:
        """An object's bytes, without a resourceVersion, as they are stored."""
        if self.conversion is not None:
            raw = self.conversion.to_kept(raw)
        return self._form.wrap(raw)

    def kept_raw(self, key: bytes, value: bytes) -> bytes:
        """The object's bytes in the version the cache holds, from what is stored."""
        return self._form(key, value)

    def item(self, namespace: str, name: str, revision: int, raw: bytes) -> Item:
        """The served object of these bytes, written at `revision`; 0: it was not written, and has no version."""
        version = resource_version_field(revision) if revision else b""
        return Item(self.resource, namespace, name, revision, raw + version)

    def served(self, item: Item) -> Item:
        """An object of the cache in the version of this resource."""
        if self.conversion is None:
            return item
        return Item(self.resource, item.namespace, item.name, item.revision, self.conversion.to_served(item.raw))

    def decode(self, item: Item) -> Message:
        """The message of a served object as it is stored: without its resourceVersion."""
        return self.message.FromString(item.raw.removesuffix(resource_version_field(item.revision)))


class Kinds:
    """All kinds by resource; made on first use, since most servers see few of them."""

    def __init__(self, table: ResourceTable) -> None:
        self._table = table
        self._kept = kept_as(table)
        self._kinds: dict[Resource, Kind] = {}
        self.namespaces: Final = self.named("", "v1", "namespaces")
        self.accounts: Final = self.named("", "v1", "serviceaccounts")

    def of(self, resource: Resource) -> Kind:
        """The kind of a resource.

        Raises:
            StatusError: 404, it has no objects: reviews and bindings are only posted.
        """
        kind = self._kinds.get(resource)
        if kind is None:
            if resource.storage is None:
                raise unknown_resource()
            kept = self._kept.get(resource.storage.prefix, resource)
            kind = self._kinds[resource] = Kind(resource, kept)
        return kind

    def named(self, group: str, version: str, plural: str) -> Kind:
        """The kind of a resource that every server has."""
        resource = self._table.by_plural(group, version, plural)
        assert resource is not None, f"{plural} in {group}/{version} is in the table"
        return self.of(resource)


def kept_as(table: ResourceTable) -> dict[str, Resource]:
    """The version that is kept, by the place in the store: the stored one if it is served, else the first served."""
    kept: dict[str, Resource] = {}
    for resource in table.served():
        if resource.storage is None:
            continue
        place = resource.storage.prefix
        if place not in kept or resource.storage.version == resource.group_version:
            kept[place] = resource
    return kept


def cached_kinds(table: ResourceTable) -> list[CachedKind]:
    """What the cache has to keep so that everything can be served."""
    return [CachedKind(resource, stored_form(resource)) for resource in kept_as(table).values()]
