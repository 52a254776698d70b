"""Which objects a list or a watch is about, and how a change looks to somebody who sees only those."""

from __future__ import annotations

from collections.abc import Mapping

from kubewire.apiserver.cache.versioned import with_revision
from kubewire.apiserver.item import Event, Item
from kubewire.machinery.selectors import fields as field_selectors
from kubewire.machinery.selectors import labels as label_selectors

NAME_FIELDS = frozenset({"metadata.name", "metadata.namespace"})
"""Fields that are known without decoding the object."""


class Selection:
    """A namespace (empty: all), and selectors. Equal selections share one filter and one encoding of their events."""

    __slots__ = ("_by_name_only", "_key", "fields", "labels", "namespace")

    def __init__(
        self,
        namespace: str = "",
        labels: label_selectors.Selector | None = None,
        fields: field_selectors.Selector | None = None,
    ) -> None:
        self.namespace = namespace
        self.labels = None if labels is None or labels.is_everything else labels
        self.fields = None if fields is None or fields.is_everything else fields
        self._by_name_only = self.fields is not None and NAME_FIELDS.issuperset(self.fields.fields)
        self._key = (namespace, self.labels, self.fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Selection) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"Selection({self.namespace!r}, {self.labels!r}, {self.fields!r})"

    @property
    def has_selectors(self) -> bool:
        """Whether it leaves out objects of its namespace."""
        return self.labels is not None or self.fields is not None

    @property
    def exact_field(self) -> tuple[str, str] | None:
        """A field and the one value it must have, to find the selection by when an object changes."""
        if self.fields is None:
            return None
        for field in sorted(self.fields.fields, key=lambda field: field != "metadata.name"):
            value = self.fields.exact_value(field)
            if value is not None:
                return field, value
        return None

    @property
    def name(self) -> str | None:
        """The only name an object in it can have, if there is one."""
        return None if self.fields is None else self.fields.exact_value("metadata.name")

    def matches(self, item: Item) -> bool:
        """Whether an object is in it."""
        return (not self.namespace or item.namespace == self.namespace) and self.selects(item)

    def selects(self, item: Item) -> bool:
        """Whether the selectors take an object that is in the namespace."""
        if self.labels is not None and not self.labels.matches(item.labels):
            return False
        return self.fields is None or self.fields.matches(self._field_values(item))

    def view(self, event: Event) -> Event | None:
        """How a change of an object in the namespace looks from here; None: not at all.

        An object that comes in is added; one that goes out is deleted, and shown as it last was inside but with the
        revision of the change, so that a watch can be resumed from it (as Kubernetes does).
        """
        item, previous = event.item, event.previous
        if item is None or not self.has_selectors:
            return event
        is_inside = event.type != "DELETED" and self.selects(item)
        was_inside = previous is not None and self.selects(previous)
        if is_inside:
            return event if was_inside or event.type == "ADDED" else Event("ADDED", item, None, event.revision)
        if not was_inside or previous is None:
            return None
        if event.type == "DELETED":
            return event
        return Event("DELETED", with_revision(previous, event.revision), previous, event.revision)

    def _field_values(self, item: Item) -> Mapping[str, str]:
        if self._by_name_only:
            return {"metadata.name": item.name, "metadata.namespace": item.namespace}
        return item.selectable


EVERYTHING = Selection()
