"""The truth as states: what existed at each revision."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping

from tests.robustness.history import Truth, Version


class States:
    """Every key's versions by revision."""

    def __init__(self, truth: Iterable[Truth]) -> None:
        self.changes = sorted(truth, key=lambda change: change.revision)
        self._revisions: dict[str, list[int]] = defaultdict(list)
        self._versions: dict[str, list[Version | None]] = defaultdict(list)
        self.by_tag: dict[str, Truth] = {}
        self.by_key_revision: dict[tuple[str, int], Truth] = {}
        for change in self.changes:
            self._revisions[change.key].append(change.revision)
            self._versions[change.key].append(Version(change.tag, change.revision) if change.tag is not None else None)
            self.by_key_revision[change.key, change.revision] = change
            if change.tag is not None:
                self.by_tag[change.tag] = change

    @property
    def last_revision(self) -> int:
        """Of the last change."""
        return self.changes[-1].revision if self.changes else 0

    def at(self, key: str, revision: int) -> Version | None:
        """What the key was at a revision."""
        index = bisect_right(self._revisions[key], revision)
        return self._versions[key][index - 1] if index else None

    def snapshot(self, prefix: str, revision: int) -> Mapping[str, Version]:
        """Everything below a prefix at a revision."""
        found = ((key, self.at(key, revision)) for key in self._revisions if key.startswith(prefix))
        return {key: version for key, version in found if version is not None}

    def validity(self, key: str, version: Version | None) -> list[tuple[int, int]]:
        """Half-open ranges of revisions during which the key was `version` (None: did not exist)."""
        ranges: list[tuple[int, int]] = []
        revisions, versions = self._revisions[key], self._versions[key]
        if version is None and revisions:
            ranges.append((0, revisions[0]))
        if not revisions:
            return [(0, _FOREVER)] if version is None else []
        for index, held in enumerate(versions):
            if held == version:
                end = revisions[index + 1] if index + 1 < len(revisions) else _FOREVER
                ranges.append((revisions[index], end))
        return ranges

    def between(self, prefix: str, after: int, through: int) -> list[Truth]:
        """Changes below a prefix with after < revision <= through."""
        return [
            change for change in self.changes if after < change.revision <= through and change.key.startswith(prefix)
        ]


_FOREVER = 1 << 62
