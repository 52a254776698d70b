"""Scenarios as text: a table of what there is, whose columns have names and whose empty cells are `-`.

name  node  phase    ready
a     n1    Running  yes
b     -     Pending  -
"""

from collections.abc import Mapping

Row = Mapping[str, str]


def rows(text: str) -> list[Row]:
    """The rows of a table by the names of their columns; an empty cell is the empty text."""
    lines = [line.split() for line in text.strip().splitlines() if line.strip()]
    if not lines:
        return []
    head, *body = lines
    for line in body:
        assert len(line) == len(head), f"want {len(head)} cells ({' '.join(head)}), got {' '.join(line)}"
    return [dict(zip(head, ("" if cell == "-" else cell for cell in line), strict=True)) for line in body]


def pairs(text: str) -> dict[str, str]:
    """`app=web,tier=front` as a mapping."""
    return dict(part.split("=", 1) for part in text.split(",")) if text else {}
