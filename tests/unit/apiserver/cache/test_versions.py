"""What resourceVersion asks for."""

import pytest

from kubewire.apiserver.cache.versions import ANY, LATEST, Freshness, ReadAt, read_at

EXACT, NOT_OLDER = Freshness.EXACT, Freshness.NOT_OLDER


@pytest.mark.parametrize(
    ("revision", "match", "is_limited", "expected"),
    [
        (None, "", False, LATEST),
        (None, "", True, LATEST),
        (0, "", False, ANY),
        (0, "", True, ANY),
        (0, "NotOlderThan", True, ANY),
        (7, "", False, ReadAt(NOT_OLDER, 7)),
        (7, "", True, ReadAt(EXACT, 7)),
        (7, "NotOlderThan", True, ReadAt(NOT_OLDER, 7)),
        (7, "Exact", False, ReadAt(EXACT, 7)),
        (7, "Exact", True, ReadAt(EXACT, 7)),
    ],
)
def test_table(revision: int | None, match: str, is_limited: bool, expected: ReadAt) -> None:  # noqa: FBT001 - a parameter of the test
    """Kubernetes' table of version, match and limit."""
    assert read_at(revision, match, is_limited=is_limited) == expected
