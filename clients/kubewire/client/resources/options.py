"""Options of calls: as callers write them, and as bytes. Equal options are encoded once."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from functools import lru_cache

from kubewire.api.meta.v1.options_pb2 import (
    CreateOptions,
    DeleteOptions,
    GetOptions,
    ListOptions,
    PatchOptions,
    Preconditions,
    UpdateOptions,
)


class PatchType(IntEnum):
    """How the bytes of a patch are to be read (`kubewire.rpc.v1.PatchType`)."""

    JSON = 1
    """RFC 6902, a JSON list of operations."""
    MERGE = 2
    """RFC 7386, a JSON object."""
    STRATEGIC = 3
    """Kubernetes' merge by keys, a JSON object."""
    APPLY = 4
    """Server-side apply, a manifest in YAML or JSON."""


class View(IntEnum):
    """How much of each object a batch returns (`kubewire.rpc.v1.ObjectView`)."""

    FULL = 1
    METADATA = 2
    NONE = 3


class Propagation(Enum):
    """What becomes of an object's dependents when it is deleted."""

    ORPHAN = "Orphan"
    BACKGROUND = "Background"
    FOREGROUND = "Foreground"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which objects of a kind: selectors as text (`app=web,tier!=db`, `spec.nodeName=n1`); empty: all."""

    label_selector: str = ""
    field_selector: str = ""


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Writing:
    """How a create, update, patch or apply is to be done.

    `dry_run` does everything but store; `field_manager` empty: the first word of the user agent; `field_validation`
    is Ignore, Warn or Strict; `force` counts for apply alone, and takes fields over from their managers.
    """

    dry_run: bool = False
    field_manager: str = ""
    field_validation: str = ""
    force: bool = False


@dataclass(frozen=True, slots=True)
class Deleting:
    """How a delete is to be done; it fails with Conflict unless `uid` and `resource_version` hold where they are given.

    `grace_period_seconds` None: the kind's own; `propagation` None: the kind's default.
    """

    grace_period_seconds: int | None = None
    propagation: Propagation | None = None
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Watching:
    """Where a watch starts and when it ends.

    `resource_version` empty: now; with `initial_state` the objects there are come first, as ADDED, and then a bookmark.
    The server ends the watch after `timeout_seconds`. Events wait up to `batch_window_milliseconds` for others (None:
    the server's 10) and come together.
    """

    selection: Selection = EVERYTHING
    resource_version: str = ""
    initial_state: bool = False
    timeout_seconds: int = 1800
    batch_window_milliseconds: int | None = None


@lru_cache(64)
def get_options(resource_version: str) -> bytes:
    """As `meta.v1.GetOptions`."""
    return GetOptions(resourceVersion=resource_version).SerializeToString() if resource_version else b""


def list_options(
    selection: Selection, *, limit: int = 0, token: str = "", resource_version: str = "", match: str = ""
) -> bytes:
    """As `meta.v1.ListOptions`, of a list."""
    options = _selecting(selection)
    if limit:
        options.limit = limit
    if token:
        setattr(options, "continue", token)  # a keyword of Python
    if resource_version:
        options.resourceVersion = resource_version
    if match:
        options.resourceVersionMatch = match
    return options.SerializeToString()


@lru_cache(256)
def selection_options(selection: Selection) -> bytes:
    """As `meta.v1.ListOptions` with nothing but selectors."""
    return _selecting(selection).SerializeToString()


def watch_options(watching: Watching) -> bytes:
    """As `meta.v1.ListOptions`, of a watch. Bookmarks are always welcome."""
    options = _selecting(watching.selection)
    options.watch = True
    options.allowWatchBookmarks = True
    options.timeoutSeconds = watching.timeout_seconds
    if watching.resource_version:
        options.resourceVersion = watching.resource_version
    if watching.initial_state:
        options.sendInitialEvents = True
        options.resourceVersionMatch = "NotOlderThan"
    return options.SerializeToString()


@lru_cache(256)
def create_options(writing: Writing) -> bytes:
    """As `meta.v1.CreateOptions`."""
    return _filled(CreateOptions(), writing).SerializeToString()


@lru_cache(256)
def update_options(writing: Writing) -> bytes:
    """As `meta.v1.UpdateOptions`."""
    return _filled(UpdateOptions(), writing).SerializeToString()


@lru_cache(256)
def patch_options(writing: Writing) -> bytes:
    """As `meta.v1.PatchOptions`."""
    options = PatchOptions()
    _filled(options, writing)
    if writing.force:
        options.force = True
    return options.SerializeToString()


def delete_options(deleting: Deleting) -> DeleteOptions:
    """As `meta.v1.DeleteOptions`."""
    options = DeleteOptions()
    if deleting.grace_period_seconds is not None:
        options.gracePeriodSeconds = deleting.grace_period_seconds
    if deleting.propagation is not None:
        options.propagationPolicy = deleting.propagation.value
    if deleting.dry_run:
        options.dryRun.append("All")
    _condition(options.preconditions, deleting)
    return options


def _condition(preconditions: Preconditions, deleting: Deleting) -> None:
    if deleting.uid:
        preconditions.uid = deleting.uid
    if deleting.resource_version:
        preconditions.resourceVersion = deleting.resource_version


def _filled(
    options: CreateOptions | UpdateOptions | PatchOptions, writing: Writing
) -> CreateOptions | UpdateOptions | PatchOptions:
    if writing.dry_run:
        options.dryRun.append("All")
    if writing.field_manager:
        options.fieldManager = writing.field_manager
    if writing.field_validation:
        options.fieldValidation = writing.field_validation
    return options


def _selecting(selection: Selection) -> ListOptions:
    options = ListOptions()
    if selection.label_selector:
        options.labelSelector = selection.label_selector
    if selection.field_selector:
        options.fieldSelector = selection.field_selector
    return options
