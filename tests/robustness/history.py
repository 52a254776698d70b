"""What a run leaves behind: operations with their times and outcomes, watch sessions, and the truth from etcd.

An object's content is a tag that no other write of the run uses, so that an observation names the write it saw.
Times are one process's monotonic clock: if one operation returned before another was invoked, the order is real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

NOWHERE = 1 << 62
"""A revision after all others."""


class Outcome(Enum):
    """What a client was told."""

    DONE = "done"
    REFUSED = "refused"  # a definite error: it did not happen
    UNKNOWN = "unknown"  # no answer, or one that does not say: it may have happened, and may yet


class Refusal(Enum):
    """Why a client was refused. What the first three claim of the object must have been so."""

    EXISTS = "exists"
    MISSING = "missing"
    CONFLICT = "conflict"
    GONE = "gone"  # the revision asked for was compacted
    OTHER = "other"


class Verb(Enum):
    """What a client asked for."""

    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"  # changes the tag and keeps the base
    DELETE = "delete"
    PUT = "put"  # a foreign client's: over whatever there is, straight into etcd
    GET = "get"
    LIST = "list"


WRITES = frozenset({Verb.CREATE, Verb.UPDATE, Verb.PATCH, Verb.DELETE, Verb.PUT})


class Freshness(Enum):
    """How new a read had to be."""

    LATEST = "latest"  # linearizable
    ANY = "any"  # resourceVersion=0
    NOT_OLDER = "not older"  # than `asked`
    EXACT = "exact"  # at `asked`


@dataclass(frozen=True, slots=True)
class Version:
    """One object as observed: the tag of the write that made it, and its revision."""

    tag: str
    revision: int


@dataclass(slots=True)
class Operation:
    """One request of one client; a list in pages is one request.

    Attributes:
        key: `namespace/name` of the object; for lists the prefix of the keys (`namespace/`, or empty).
        tag: of what a write writes.
        label: that a write gives the object, None: it keeps the one it has; for lists the one asked for, None: any.
        guard: the revision a write was conditional on; 0 for none.
        revision: that a write was answered with, or the snapshot's of a list; 0 if unknown.
        observed: what a get saw (None: it does not exist); for lists see `snapshot`.
        snapshot: key -> version of a whole list, all its pages.
        asked: the revision named by a read that is NOT_OLDER or EXACT.
    """

    client: str
    verb: Verb
    key: str
    invoked: float
    returned: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    tag: str = ""
    label: str | None = None
    guard: int = 0
    revision: int = 0
    observed: Version | None = None
    snapshot: Mapping[str, Version] = field(default_factory=dict)
    freshness: Freshness = Freshness.LATEST
    asked: int = 0
    refusal: Refusal | None = None
    detail: str = ""

    @property
    def is_write(self) -> bool:
        """Whether it was to change something."""
        return self.verb in WRITES

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.client}: {self.verb.value} {self.key} {self.tag}".rstrip()


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing a watcher was sent: ADDED, MODIFIED, DELETED, BOOKMARK, or RELISTED.

    RELISTED stands where the watcher started anew with the whole state, at the beginning or when it was told that its
    version is gone: from there on its state is that of this revision. The state itself is checked as a list.
    `at` is when it was seen: who asks later must not be answered with less.
    """

    type: str
    revision: int
    key: str = ""
    tag: str = ""
    at: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Gone:
    """A watcher was told that the history after `revision` is gone."""

    revision: int
    at: float


@dataclass(slots=True)
class Session:
    """All that one watcher saw, over all its resumptions.

    Attributes:
        prefix: of the keys it watched.
        label: of the objects it watched; None: all.
        start: the revision after which it began; 0: with a RELISTED; None: at the moment it was opened.
        invoked, opened: when it asked and when it was told that the watch is open; of a start at that moment.
        until: everything up to this revision must have arrived in the end; 0: nothing need have.
    """

    watcher: str
    prefix: str
    start: int | None
    label: str | None = None
    invoked: float = 0.0
    opened: float = 0.0
    until: int = 0
    seen: list[Seen] = field(default_factory=list)
    gone: list[Gone] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Truth:
    """One change as etcd has it. `tag` None: a deletion.

    `base` is a part of the content that is written by all writes but patches, which must leave it alone.
    """

    revision: int
    key: str
    tag: str | None
    base: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Compaction:
    """From `at` on, history before `revision` may be gone."""

    revision: int
    at: float


@dataclass(slots=True)
class History:
    """One run.

    Attributes:
        leased: tags of objects that hang on a lease, and so may be deleted without anybody asking for it.
        last_revision: etcd's own in the end; 0 if it was not asked.
        anomalies: what clients met that no fault explains, in words.
    """

    operations: list[Operation] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
    compactions: list[Compaction] = field(default_factory=list)
    leased: set[str] = field(default_factory=set)
    last_revision: int = 0
    anomalies: list[str] = field(default_factory=list)
