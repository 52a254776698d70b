"""Options that do not go together, found before anything is read; the words are Kubernetes'."""

from __future__ import annotations

from typing import Final

from kubewire.apiserver.options import DeleteOptions, ListOptions, WatchOptions
from kubewire.machinery import errors, field_errors
from kubewire.machinery.field_errors import FieldError
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupKind
from kubewire.machinery.quoting import quote

_META: Final = "meta.k8s.io"
_MATCH: Final = ROOT.child("resourceVersionMatch")
_POLICY: Final = ROOT.child("propagationPolicy")
_EXACT: Final = "Exact"
_NOT_OLDER: Final = "NotOlderThan"
_UINT64_MAX: Final = 2**64 - 1


def check_list(options: ListOptions) -> None:
    """Raises StatusError 422 for options a list cannot have."""
    problems = _list_problems(options)
    if problems:
        raise errors.invalid(GroupKind(_META, "ListOptions"), "", problems)


def _list_problems(options: ListOptions) -> list[FieldError]:
    match = options.resource_version_match
    if not match:
        return []
    rules = (
        (not options.resource_version, "resourceVersionMatch is forbidden unless resourceVersion is provided"),
        (bool(options.continue_token), "resourceVersionMatch is forbidden when continue is provided"),
    )
    problems = [field_errors.forbidden(_MATCH, text) for failed, text in rules if failed]
    if match not in (_EXACT, _NOT_OLDER):
        problems.append(field_errors.not_supported(_MATCH, match, (_EXACT, _NOT_OLDER, "")))
    if match == _EXACT and options.resource_version == "0":
        text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        problems.append(field_errors.forbidden(_MATCH, text))
    return problems


def check_watch(options: WatchOptions) -> None:
    """Raises StatusError 422 for options a watch cannot have."""
    problems = _watch_problems(options)
    if problems:
        raise errors.invalid(GroupKind(_META, "ListOptions"), "", problems)


def _watch_problems(options: WatchOptions) -> list[FieldError]:
    match = options.resource_version_match
    problems: list[FieldError] = []
    if options.send_initial_events is not None and match != _NOT_OLDER:
        text = f"sendInitialEvents requires setting resourceVersionMatch to {_NOT_OLDER}"
        problems.append(field_errors.forbidden(_MATCH, text))
    if match and options.send_initial_events is None:
        text = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
        problems.append(field_errors.forbidden(_MATCH, text))
    if match and match != _NOT_OLDER:
        problems.append(field_errors.not_supported(_MATCH, match, (_NOT_OLDER,)))
    return problems


def check_delete(options: DeleteOptions) -> None:
    """Raises StatusError 422 for options a delete cannot have."""
    policy = options.propagation_policy
    if policy is None:
        return
    problems: list[FieldError] = []
    if options.orphan_dependents is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        problems.append(field_errors.invalid(_POLICY, policy, text))
    if policy not in ("Foreground", "Background", "Orphan"):
        supported = ("Foreground", "Background", "Orphan", "nil")
        problems.append(field_errors.not_supported(_POLICY, policy, supported))
    if problems:
        raise errors.invalid(GroupKind(_META, "DeleteOptions"), "", problems)


def parse_resource_version(text: str) -> int:
    """The revision that a resourceVersion means; 0 when it is empty or "0".

    Raises:
        StatusError: 400, it is no resourceVersion a server of ours ever gave out.
    """
    if not text:
        return 0
    why = ""
    if not (text.isascii() and text.isdigit()):
        why = "invalid syntax"
    elif int(text[:40]) > _UINT64_MAX:
        why = "value out of range"
    if not why:
        return int(text)
    parsing = f"strconv.ParseUint: parsing {quote(text)}: {why}"
    problem = field_errors.invalid(ROOT.child("resourceVersion"), text, parsing)
    raise errors.bad_request(f"invalid resource version: {problem}")
