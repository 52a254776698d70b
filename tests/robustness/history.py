"""What a run leaves behind: operations with their times and outcomes, watch sessions, and the truth from etcd.

An object's content is a tag that no other write of the run uses, so that an observation names the write it saw.
Times are one process's monotonic clock: if one operation returned before another was invoked, the order is real.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Outcome(Enum):
    """What a client was told."""

    DONE = "done"
    REFUSED = "refused"  # a definite error: it did not happen
    UNKNOWN = "unknown"  # no answer, or one that does not say: it may have happened, and may yet


class Verb(Enum):
    """What a client asked for."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    GET = "get"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Version:
    """One object as observed: the tag of the write that made it, and its revision."""

    tag: str
    revision: int


@dataclass(slots=True)
class Operation:
    """One request of one client.

    Attributes:
        key: of the object; for lists the prefix (namespace).
        tag: of what a create or update writes.
        guard: the revision an update or delete was conditional on; 0 for none.
        revision: that a write was answered with, or the snapshot's of a list; 0 if unknown.
        observed: what a get saw (None: it does not exist); for lists see `snapshot`.
        snapshot: key -> version of a whole list, all its pages.
        stale_allowed: the read asked for resourceVersion=0.
    """

    client: str
    verb: Verb
    key: str
    invoked: float
    returned: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    tag: str = ""
    guard: int = 0
    revision: int = 0
    observed: Version | None = None
    snapshot: Mapping[str, Version] = field(default_factory=dict)
    stale_allowed: bool = False
    detail: str = ""

    @property
    def is_write(self) -> bool:
        return self.verb in (Verb.CREATE, Verb.UPDATE, Verb.DELETE)


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing a watcher was sent: ADDED, MODIFIED, DELETED, BOOKMARK, or RELISTED.

    RELISTED stands where the watcher was told that its version is gone and started anew with a list: from there on
    its state is that list's.
    """

    type: str
    revision: int
    key: str = ""
    tag: str = ""


@dataclass(slots=True)
class Session:
    """All that one watcher saw, over all its resumptions.

    Attributes:
        prefix: of the keys it watched.
        start: the revision after which it began; 0: it asked for the initial state.
    """

    watcher: str
    prefix: str
    start: int
    seen: list[Seen] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Truth:
    """One change as etcd has it. `tag` None: a deletion."""

    revision: int
    key: str
    tag: str | None


@dataclass(slots=True)
class History:
    """One run."""

    operations: list[Operation] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)
