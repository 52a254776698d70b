"""The types of columns: one entry a row, one row a node. Columns grow together and never shrink."""

from __future__ import annotations

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
Int64s: TypeAlias = NDArray[np.int64]
Int32s: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]

Rows: TypeAlias = slice | NDArray[np.intp]
"""Which rows plugins are to look at: a slice, or their numbers."""

ALL = slice(None)
"""All rows."""

Element = TypeVar("Element", bound=np.generic)


def grown(column: NDArray[Element], rows: int, fill: int = 0) -> NDArray[Element]:
    """A longer column with the same beginning; the last axis is that of rows."""
    longer = np.full((*column.shape[:-1], rows), fill, dtype=column.dtype)
    longer[..., : column.shape[-1]] = column
    return longer
