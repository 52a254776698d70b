"""Which columns a kind's table has: those of `columns.tsv`; for other kinds a name and a time."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

from kubewire.machinery.json_value import JsonObject


class Column(NamedTuple):
    """One column. Priority 0 is always shown, others with `-o wide`."""

    name: str
    type: str
    format: str
    priority: int

    def to_json(self) -> JsonObject:
        """As TableColumnDefinition."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": "",
            "priority": self.priority,
        }


FALLBACK: Final = (Column("Name", "string", "name", 0), Column("Created At", "date", "", 0))
"""Columns of kinds that have none of their own."""


@cache
def _all_columns() -> dict[tuple[str, str], tuple[Column, ...]]:
    text = files("kubewire.apiserver.encoding.table").joinpath("columns.tsv").read_text()
    found: dict[tuple[str, str], tuple[Column, ...]] = {}
    for row in csv.DictReader(text.splitlines(), delimiter="\t"):
        column = Column(row["column"], row["type"], row["format"], int(row["priority"]))
        key = row["group"], row["kind"]
        found[key] = (*found.get(key, ()), column)
    return found


def columns_of(group: str, kind: str) -> tuple[Column, ...]:
    """The columns in order; FALLBACK for kinds without any."""
    return _all_columns().get((group, kind), FALLBACK)
