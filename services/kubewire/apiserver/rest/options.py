"""From query parameters, or a DeleteOptions body, to what the core takes; malformed ones are refused as upstream does.

Selectors, versions, continue tokens and policies are passed on as they are: the core judges them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from kubewire.apiserver.contracts import PatchType
from kubewire.apiserver.options import (
    DeleteOptions,
    FieldValidation,
    GetOptions,
    ListOptions,
    WatchOptions,
    WriteOptions,
)
from kubewire.apiserver.rest.query import Query, flag, integer, optional_flag, optional_integer
from kubewire.machinery import errors, field_errors
from kubewire.machinery.field_errors import FieldError
from kubewire.machinery.field_path import Path
from kubewire.machinery.gvk import GroupKind

MANAGER_CHARACTERS: Final = 128
"""Longest name of a field manager, upstream's limit."""

FROM_CACHE: Final = GetOptions(resource_version="0")
LINEARIZABLE: Final = GetOptions()
NO_WRITE_OPTIONS: Final = WriteOptions()
NO_DELETE_OPTIONS: Final = DeleteOptions()
_VALIDATIONS: Final = ("Ignore", "Warn", "Strict")


def get_options(query: Query) -> GetOptions:
    """Options of a GET of one object."""
    version = query.get("resourceVersion", "")
    if not version:
        return LINEARIZABLE
    return FROM_CACHE if version == "0" else GetOptions(version)


def list_options(query: Query) -> ListOptions:
    """Options of a list, or the selection of a deletecollection."""
    get = query.get
    return ListOptions(
        label_selector=get("labelSelector", ""),
        field_selector=get("fieldSelector", ""),
        limit=integer(query, "limit"),
        continue_token=get("continue", ""),
        resource_version=get("resourceVersion", ""),
        resource_version_match=get("resourceVersionMatch", ""),
    )


def watch_options(query: Query, name: str = "") -> WatchOptions:
    """Options of a watch; `name` narrows it to one object (the legacy `/watch/.../<name>` paths)."""
    get = query.get
    selector = get("fieldSelector", "")
    if name:
        selector = f"metadata.name={name}" + (f",{selector}" if selector else "")
    return WatchOptions(
        label_selector=get("labelSelector", ""),
        field_selector=selector,
        resource_version=get("resourceVersion", ""),
        resource_version_match=get("resourceVersionMatch", ""),
        send_initial_events=optional_flag(query, "sendInitialEvents"),
        allow_bookmarks=flag(query, "allowWatchBookmarks"),
        timeout_seconds=_timeout_seconds(query),
    )


def _timeout_seconds(query: Query) -> float | None:
    """None and 0 both leave it to the server."""
    seconds = optional_integer(query, "timeoutSeconds")
    return float(seconds) if seconds else None


def write_options(query: Query, kind: str, patch: PatchType | None = None) -> WriteOptions:
    """Options of a create, update or patch; `kind` (`CreateOptions` ...) names them in errors.

    Raises:
        StatusError: 422 naming each parameter that is wrong.
    """
    if not query:
        if patch is PatchType.APPLY_YAML:
            raise _invalid(kind, [_manager_required()])
        return NO_WRITE_OPTIONS
    get = query.get
    dry_run, manager, validation = get("dryRun", ""), get("fieldManager", ""), get("fieldValidation", "")
    force = optional_flag(query, "force")
    problems = [
        *_dry_run(dry_run),
        *_manager(manager),
        *_validation(validation),
        *_apply(patch, manager, is_forced=force),
    ]
    if problems:
        raise _invalid(kind, problems)
    return WriteOptions(
        dry_run=bool(dry_run),
        field_manager=manager,
        field_validation=cast("FieldValidation", validation),
        force=bool(force),
    )


def delete_options(query: Query) -> DeleteOptions:
    """Options of a delete without a body.

    Raises:
        StatusError: 400 or 422 naming the parameter that is malformed.
    """
    if not query:
        return NO_DELETE_OPTIONS
    dry_run = query.get("dryRun", "")
    return DeleteOptions(
        grace_period_seconds=optional_integer(query, "gracePeriodSeconds"),
        propagation_policy=query.get("propagationPolicy") or None,
        orphan_dependents=optional_flag(query, "orphanDependents"),
        dry_run=is_dry_run("DeleteOptions", [dry_run] if dry_run else []),
    )


def is_dry_run(kind: str, values: Sequence[str]) -> bool:
    """Whether `dryRun`'s values ask for one.

    Raises:
        StatusError: 422 for any value but `All`.
    """
    problems = [problem for value in values for problem in _dry_run(value)]
    if problems:
        raise _invalid(kind, problems)
    return bool(values)


def _dry_run(value: str) -> list[FieldError]:
    if not value or value == "All":
        return []
    return [field_errors.not_supported(Path("dryRun"), [value], ("All",))]


def _manager(name: str) -> list[FieldError]:
    path = Path("fieldManager")
    problems = []
    if len(name) > MANAGER_CHARACTERS:
        problems.append(field_errors.too_long(path, MANAGER_CHARACTERS))
    if not name.isprintable():
        problems.append(field_errors.invalid(path, name, "should only contain printable characters"))
    return problems


def _validation(value: str) -> list[FieldError]:
    if not value or value in _VALIDATIONS:
        return []
    return [field_errors.not_supported(Path("fieldValidation"), value, _VALIDATIONS)]


def _apply(patch: PatchType | None, manager: str, *, is_forced: bool | None) -> list[FieldError]:
    if patch is None:
        return []
    if patch is PatchType.APPLY_YAML:
        return [] if manager else [_manager_required()]
    if is_forced is not None:
        return [field_errors.forbidden(Path("force"), "may not be specified for non-apply patch")]
    return []


def _manager_required() -> FieldError:
    return field_errors.required(Path("fieldManager"), "is required for apply patch")


def _invalid(kind: str, problems: Sequence[FieldError]) -> errors.StatusError:
    return errors.invalid(GroupKind("meta.k8s.io", kind), "", problems)
