"""The rule of updates: who writes a field owns it, and what is gone is owned by nobody.

Everything that is not an apply is an update: create, update, patch, and what a subresource changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.managed_fields import entry as entries_of
from kubewire.machinery.managed_fields.entry import UPDATE, Entry, Identity
from kubewire.machinery.managed_fields.field_set import EMPTY, FieldSet
from kubewire.machinery.managed_fields.merge_types import MergeType

MAX_UPDATE_MANAGERS = 10
ANCIENT_CHANGES = "ancient-changes"
MAX_MANAGER_BYTES = 128

STRIPPED = FieldSet.of_paths(
    [
        ("apiVersion",),
        ("kind",),
        ("metadata",),
        *(
            ("metadata", name)
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "clusterName",
                "generation",
                "managedFields",
                "resourceVersion",
            )
        ),
    ]
)
"""What no manager ever owns."""

View: TypeAlias = tuple[MergeType, JsonObject]
OtherVersion: TypeAlias = Callable[[str, JsonObject], View | None]
"""An object as another API version shows it, with that version's type; None if the version is not served."""
Objects: TypeAlias = Callable[[], tuple[JsonObject, JsonObject]]
"""The whole objects before and after; made only when an entry of another version asks for them."""


class Write(NamedTuple):
    """A write in progress: its field manager and when it happens, in seconds since 1970."""

    manager: str
    time: int


@dataclass(frozen=True)
class Comparison:
    """What a write added, modified and removed."""

    added: FieldSet = EMPTY
    modified: FieldSet = EMPTY
    removed: FieldSet = EMPTY

    @cached_property
    def written(self) -> FieldSet:
        """Fields that have a new value."""
        return self.added.union(self.modified)

    @cached_property
    def touched(self) -> FieldSet:
        """Fields that have a new value or none any more."""
        return self.written.union(self.removed)

    def without(self, fields: FieldSet) -> Comparison:
        """The same, leaving out fields and everything below them."""
        if fields.is_empty:
            return self
        return Comparison(self.added.without(fields), self.modified.without(fields), self.removed.without(fields))


UNCHANGED = Comparison()


def compare(kind: MergeType, live: JsonObject, new: JsonObject) -> Comparison:
    """What changes when `new` takes the place of `live`.

    Raises:
        MergeError: an item of a keyed list has no key, or a set holds no plain values.
    """
    if live == new:
        return UNCHANGED
    return Comparison(*(FieldSet(part) if part else EMPTY for part in kind.compare(live, new)))


@dataclass(frozen=True, slots=True)
class Kind:
    """What ownership depends on, for one API version of a kind and one of its endpoints.

    Attributes:
        type: how the kind merges.
        api_version: e.g. `apps/v1`.
        subresource: empty for the object itself.
        reset: fields a write through this endpoint never owns, because the server puts them back.
        other_version: shows objects in other API versions, for entries written in those; without it, entries of
            other versions count as if they were written in this one.
    """

    type: MergeType
    api_version: str
    subresource: str = ""
    reset: FieldSet = EMPTY
    other_version: OtherVersion | None = None


def is_tracked(managed: Sequence[Entry], live: JsonObject) -> bool:
    """Objects are tracked from their creation on, unless somebody has emptied their entries."""
    metadata = live.get("metadata")
    return bool(managed) or not (isinstance(metadata, dict) and metadata.get("uid"))


def update(kind: Kind, live: JsonObject, new: JsonObject, managed: Sequence[Entry], write: Write) -> list[Entry]:
    """The entries after a write that is no apply.

    `live` is the object before (for a create, the kind's empty object), `new` the one to be stored as it is after
    decoding and defaulting, before admission and the server's own changes; `managed` are the entries to start from.

    Raises:
        MergeError: the objects cannot be compared.
    """
    if not is_tracked(managed, live):
        return []
    changes = compare(kind.type, live, new).without(kind.reset)
    return record(kind, take_from_others(kind, managed, changes, lambda: (live, new)), changes.written, write)


def take_from_others(kind: Kind, managed: Sequence[Entry], changes: Comparison, objects: Objects) -> list[Entry]:
    """The entries without the fields that were written or removed."""
    kept = []
    for entry in managed:
        seen = changes_seen_by(entry, kind, changes, objects)
        if seen is None:
            continue
        left = entry.field_set.difference(seen.touched)
        if not left.is_empty:
            kept.append(entry if left is entry.field_set else entry._replace(fields=left.fields_v1))
    return kept


def changes_seen_by(entry: Entry, kind: Kind, changes: Comparison, objects: Objects) -> Comparison | None:
    """The changes as the entry's API version shows them; None when that version is no longer served."""
    if entry.api_version == kind.api_version or kind.other_version is None:
        return changes
    live, new = (kind.other_version(entry.api_version, obj) for obj in objects())
    if live is None or new is None:
        return None
    return compare(live[0], live[1], new[1]).without(kind.reset)


def record(kind: Kind, others: Sequence[Entry], written: FieldSet, write: Write) -> list[Entry]:
    """Add what was written to the writer's entry, bound the number of entries, and put them in order."""
    mine = written.difference(STRIPPED)
    if mine.is_empty:
        return entries_of.in_order(capped(others))
    entry = Entry(write.manager or "unknown", UPDATE, kind.api_version, write.time, b"", kind.subresource)
    kept = [other for other in others if other.identity != entry.identity]
    for other in others:
        if other.identity == entry.identity:
            mine = other.field_set.union(mine)
    return entries_of.in_order(capped([*kept, entry._replace(fields=mine.fields_v1)]))


def capped(entries: Iterable[Entry]) -> list[Entry]:
    """At most ten entries of updates: the oldest of one API version are merged into one."""
    kept = {entry.identity: entry for entry in entries}
    updates = entries_of.in_order(entry for entry in kept.values() if entry.operation == UPDATE)
    excess = len(updates) - MAX_UPDATE_MANAGERS
    oldest: dict[str, Identity] = {}
    for entry in updates:
        if excess <= 0:
            break
        bucket = oldest.setdefault(entry.api_version, entry.identity)
        if entry.identity in kept and bucket != entry.identity:
            before = len(kept)
            oldest[entry.api_version] = _merge(kept, bucket, entry)
            excess -= before - len(kept)
    return list(kept.values())


def _merge(kept: dict[Identity, Entry], oldest: Identity, entry: Entry) -> Identity:
    """Merge two entries, and what was merged before, into the entry of ancient changes."""
    merged = kept.pop(oldest).field_set.union(kept.pop(entry.identity).field_set)
    ancient = Entry(ANCIENT_CHANGES, UPDATE, entry.api_version, entry.time, b"")
    existing = kept.get(ancient.identity)
    fields = merged if existing is None else existing.field_set.union(merged)
    kept[ancient.identity] = ancient._replace(fields=fields.fields_v1)
    return ancient.identity


def manager_name(field_manager: str, user_agent: str) -> str:
    """The manager of a request: as it says itself, else the printable start of the user agent's first word."""
    if field_manager:
        return field_manager
    name = "".join(char for char in user_agent.partition("/")[0] if char.isprintable())
    return name.encode()[:MAX_MANAGER_BYTES].decode(errors="ignore")


def is_same_but_times(left: Sequence[Entry], right: Sequence[Entry]) -> bool:
    """Whether two lists of entries differ in nothing but times: a write that only moves times is no write."""
    return sorted(entry._replace(time=None) for entry in left) == sorted(entry._replace(time=None) for entry in right)
