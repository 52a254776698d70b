"""Cutting on whole revisions."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from kubewire.apiserver.cache.slices import slices
from kubewire.apiserver.storage.store import Change


@given(st.lists(st.integers(1, 5)), st.integers(1, 7))
def test_slices_end_on_whole_revisions(sizes: list[int], size: int) -> None:
    """Parts hold everything in order, and never half a revision."""
    changes = [Change(b"", b"", revision, None, 0) for revision, count in enumerate(sizes) for _ in range(count)]
    parts = list(slices(changes, size))
    assert [change for part in parts for change in part] == changes
    assert all(one[-1].revision < two[0].revision for one, two in itertools.pairwise(parts))
