"""What a caller may ask for with each verb. Field names are Kubernetes' `meta.v1` option messages in Python spelling.

Selectors and versions stay text here: the faces pass on what they got, and the core parses it once and answers
with the error Kubernetes gives.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class GetOptions:
    """`resource_version` empty: linearizable; "0": from the cache; another: not older than it."""

    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class ListOptions:
    """As `meta.v1.ListOptions`; `limit` 0 means everything."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    continue_token: str = ""
    resource_version: str = ""
    resource_version_match: str = ""


@dataclass(frozen=True, slots=True)
class WatchOptions:
    """As `meta.v1.ListOptions` with `watch`.

    `batch_window_seconds` is how long events may wait for company (0 on REST); `timeout_seconds` None: the
    server's own limit.
    """

    label_selector: str = ""
    field_selector: str = ""
    resource_version: str = ""
    resource_version_match: str = ""
    send_initial_events: bool | None = None
    allow_bookmarks: bool = False
    timeout_seconds: float | None = None
    batch_window_seconds: float = 0.0


FieldValidation = Literal["", "Ignore", "Warn", "Strict"]


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """Options of create, update and patch. `force` counts for apply patches only."""

    dry_run: bool = False
    field_manager: str = ""
    field_validation: FieldValidation = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Preconditions:
    """What must hold of an object for a delete to happen; None: no condition."""

    uid: str | None = None
    resource_version: str | None = None


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """As `meta.v1.DeleteOptions`."""

    grace_period_seconds: int | None = None
    propagation_policy: str | None = None
    orphan_dependents: bool | None = None
    preconditions: Preconditions = field(default_factory=Preconditions)
    dry_run: bool = False
