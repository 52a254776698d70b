"""What a Store raises, and whether asking again helps.

    StorageError
    ├── Mismatch              the guard failed: somebody else wrote first; carries the entry as it is now
    ├── StoreUnavailable      nothing was done: ask again later
    ├── StoreTimeout          a read got no answer in time: ask again
    ├── OutcomeUnknown        a write may or may not have been done, and what is stored does not tell
    ├── WriteRefused          the store will not take it: too large, or no space left
    ├── Compacted             the revision's history is gone; `revision` is the oldest one left
    ├── RevisionInFuture      the revision has not been reached
    └── WatchLost             a watch broke: watch again after the last revision seen

After a write, every error but OutcomeUnknown means that it was not done and will not be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.apiserver.storage.store import Entry


class StorageError(Exception):
    """Any failure of a Store."""


class Mismatch(StorageError):
    """The key was not at the expected revision, so nothing was written.

    Attributes:
        current: the entry as it is now; None when the key does not exist.
        revision: a revision at which `current` held.
    """

    def __init__(self, key: bytes, current: Entry | None, revision: int) -> None:
        super().__init__(key, current, revision)
        self.key = key
        self.current = current
        self.revision = revision

    def __str__(self) -> str:
        found = "does not exist" if self.current is None else f"is at revision {self.current.revision}"
        return f"{self.key!r} {found}"


class StoreUnavailable(StorageError):
    """The store cannot be reached or has no quorum. Nothing was done; a retry later helps."""


class StoreTimeout(StorageError):
    """A read got no answer within its deadline. A retry helps."""


class OutcomeUnknown(StorageError):
    """The answer to a write was lost, and the stored history does not prove either outcome."""


class WriteRefused(StorageError):
    """The store refuses this write; nothing was done and the same write will be refused again."""


class Compacted(StorageError):
    """History was asked for that has been compacted away. `revision` is the oldest one left, 0 if not known."""

    def __init__(self, message: str, revision: int = 0) -> None:
        super().__init__(message)
        self.revision = revision


class RevisionInFuture(StorageError):
    """A revision was asked for that the store has not reached."""


class WatchLost(StorageError):
    """The watch ended without a fault of its own. Watching after the last revision seen loses nothing."""
