"""What the answers about one kind have in common, made once: how JSON begins, how rows are made, what frames need.

Found by the resource's identity: hashing four strings for each answer would cost as much as making it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from kubewire.apiserver.encoding.table.cells import CELLS
from kubewire.apiserver.encoding.table.columns import columns_of
from kubewire.machinery.resources import Resource

if TYPE_CHECKING:
    from kubewire.apiserver.encoding.table.cells import MakeCells

_KEPT: Final = 4096
"""Kinds remembered; objects of subresources may carry a resource made for them alone."""


class KindForms:
    """Beginnings and ends of a kind's answers.

    Attributes:
        object_opening: JSON of an object up to its first member other than kind and apiVersion.
        list_opening: the same of the kind's list.
        columns: JSON of the table's columns.
        make_cells: fills a row from the decoded object; None for kinds that only show name and time.
    """

    __slots__ = (
        "api_version",
        "columns",
        "kind",
        "list_kind",
        "list_opening",
        "make_cells",
        "message",
        "object_opening",
        "resource",
    )

    def __init__(self, resource: Resource) -> None:
        self.resource: Final = resource
        self.message: Final = resource.message
        self.api_version: Final = resource.api_version
        self.kind: Final = resource.kind
        self.list_kind: Final = f"{resource.kind}List"
        self.object_opening: Final = opening_of(self.kind, self.api_version)
        self.list_opening: Final = opening_of(self.list_kind, self.api_version)
        self.make_cells: Final[MakeCells | None] = CELLS.get(resource.gvk)
        columns = columns_of(resource.group if self.make_cells else "", resource.kind if self.make_cells else "")
        self.columns: Final = orjson.dumps([column.to_json() for column in columns])


def opening_of(kind: str, api_version: str) -> bytes:
    """`{"kind":...,"apiVersion":...,` of an object of any kind."""
    return b'{"kind":%b,"apiVersion":%b,' % (orjson.dumps(kind), orjson.dumps(api_version))


class AllKindForms:
    """KindForms of every resource met so far."""

    def __init__(self) -> None:
        self._forms: dict[int, KindForms] = {}

    def of(self, resource: Resource) -> KindForms:
        """The forms of a resource; the same object each time."""
        found = self._forms.get(id(resource))
        if found is not None:
            return found  # it holds its resource, so that nothing else can have its identity
        if len(self._forms) >= _KEPT:
            self._forms.clear()
        forms = self._forms[id(resource)] = KindForms(resource)
        return forms
