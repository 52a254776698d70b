"""Server-side apply: merging what a manager wants into the object, without taking fields from others unasked.

The applied configuration is merged into the live object; fields the manager applied before and no longer mentions
are removed, unless somebody else owns them; fields it would take from others are conflicts, unless it insists.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson

from kubewire.machinery import errors
from kubewire.machinery.errors import Cause, Reason, StatusError
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.managed_fields import elements, typed_values, update
from kubewire.machinery.managed_fields import entry as entries_of
from kubewire.machinery.managed_fields.entry import APPLY, UPDATE, Entry
from kubewire.machinery.managed_fields.field_set import EMPTY, FieldSet
from kubewire.machinery.managed_fields.merge_types import MergeError
from kubewire.machinery.managed_fields.update import STRIPPED, Comparison, Kind, Write, changes_seen_by, compare
from kubewire.machinery.quoting import quote

BEFORE_FIRST_APPLY = "before-first-apply"
KUBECTL = "kubectl"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Applied(NamedTuple):
    """The object after an apply, None if it is as it was, and its entries."""

    obj: JsonObject | None
    entries: list[Entry]


class Conflict(NamedTuple):
    """A field, as elements, that belongs to somebody else."""

    owner: Entry
    path: tuple[str, ...]

    @property
    def printed_path(self) -> str:
        """The path as messages print it."""
        return "".join(map(elements.describe, self.path))

    @property
    def printed_owner(self) -> str:
        """The owner as messages print it."""
        text = quote(self.owner.manager)
        if self.owner.subresource:
            text += f" with subresource {quote(self.owner.subresource)}"
        return f"{text} using {self.owner.api_version}" if self.owner.operation == UPDATE else text


class Request(NamedTuple):
    """An apply: the configuration, by whom and when, and whether it insists on fields of others."""

    config: JsonObject
    write: Write
    is_forced: bool = False


def apply(kind: Kind, live: JsonObject, managed: Sequence[Entry], zero: JsonObject, request: Request) -> Applied:
    """The object and its entries after an apply.

    `live` is the stored object, or `zero` (the kind's empty object) when the apply creates it; both, and the
    result, are as they are before defaulting and admission.

    Raises:
        StatusError: 409 with a cause for every conflict; 400 for another version than the endpoint's, or entries in
            the configuration; 500 without reason, as Kubernetes answers, for what the schema does not know.
    """
    _check(kind, request.config)
    if not managed:
        managed = _before_first_apply(kind, live, zero, request.write.time)
    try:
        return _apply(kind, live, managed, request)
    except MergeError as error:
        raise _refused(kind, request.config, str(error)) from None


def _check(kind: Kind, config: JsonObject) -> None:
    version, metadata = config.get("apiVersion"), config.get("metadata")
    if version != kind.api_version:
        raise errors.bad_request(
            "Incorrect version specified in apply patch. "
            f"Specified patch version: {version}, expected: {kind.api_version}"
        )
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise errors.bad_request("metadata.managedFields must be nil")
    problems = [f"{path}: {problem}" for path, problem in typed_values.problems_of(kind.type, config)]
    if problems:
        raise _refused(kind, config, problems[0] if len(problems) == 1 else "\n  ".join(["errors:", *problems]))


def _refused(kind: Kind, config: JsonObject, why: str) -> StatusError:
    metadata = config.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    where = f"{named.get('namespace', '')}/{named.get('name', '')}; {kind.api_version}, Kind={config.get('kind')}"
    return StatusError(500, Reason.UNKNOWN, f"failed to create typed patch object ({where}): {why}")


def _before_first_apply(kind: Kind, live: JsonObject, zero: JsonObject, time: int) -> list[Entry]:
    """Objects that are not tracked get an owner for all they hold, so that the first apply conflicts with it."""
    if live == zero:
        return []
    return update.update(kind, zero, live, [], Write(BEFORE_FIRST_APPLY, time))


def _apply(kind: Kind, live: JsonObject, managed: Sequence[Entry], request: Request) -> Applied:
    mine = Entry(request.write.manager or "unknown", APPLY, kind.api_version, None, b"", kind.subresource)
    last = next((entry for entry in managed if entry.identity == mine.identity), None)
    others = [entry for entry in managed if entry.identity != mine.identity]
    wanted = FieldSet(kind.type.mentioned(request.config) or {}).without(kind.reset)
    new = typed_values.merged(kind.type, live, request.config)
    if last is not None:
        new = _pruned(kind, new if isinstance(new, dict) else {}, last.field_set, [wanted, *_sets(others)])
    assert isinstance(new, dict)
    changes = compare(kind.type, live, new).without(kind.reset)
    _refuse_conflicts(kind, (live, new), others, changes, request)
    kept = update.take_from_others(kind, others, changes, lambda: (live, new))
    is_changed = live != new
    own = wanted.difference(STRIPPED)
    if not own.is_empty:
        time = request.write.time if is_changed else last.time if last is not None else None
        kept.append(mine._replace(time=time, fields=own.fields_v1))
    return Applied(new if is_changed else None, entries_of.in_order(kept))


def _sets(entries: Sequence[Entry]) -> list[FieldSet]:
    return [entry.field_set for entry in entries]


def _pruned(kind: Kind, new: JsonObject, last: FieldSet, owned: list[FieldSet]) -> JsonObject:
    """Without what was applied last time, but with what somebody owns now, and what was never applied."""
    before = _named(kind, last)
    whole = _named(kind, _fields_of(kind, new))
    pruned = _without(kind, new, before)
    kept = _named(kind, _fields_of(kind, pruned))
    for fields in owned:
        kept = kept.union(_named(kind, fields))
    pruned = _without(kind, new, whole.difference(kept))
    gone = whole.difference(_named(kind, _fields_of(kind, pruned)))
    return _without(kind, new, gone.intersection(before))


def _fields_of(kind: Kind, obj: JsonObject) -> FieldSet:
    return FieldSet(kind.type.mentioned(obj) or {})


def _named(kind: Kind, fields: FieldSet) -> FieldSet:
    return FieldSet(typed_values.with_named_fields(kind.type, fields.trie))


def _without(kind: Kind, obj: JsonObject, fields: FieldSet) -> JsonObject:
    left = typed_values.removed(kind.type, obj, fields.trie)
    return left if isinstance(left, dict) else {}


def _refuse_conflicts(
    kind: Kind, objects: tuple[JsonObject, JsonObject], others: Sequence[Entry], changes: Comparison, request: Request
) -> None:
    if request.is_forced:
        return
    conflicts = []
    for entry in others:
        seen = changes_seen_by(entry, kind, changes, lambda: objects)
        if seen is not None:
            conflicts += [Conflict(entry, path) for path in entry.field_set.intersection(seen.written).paths()]
    if request.write.manager == KUBECTL:
        yielded = _yielded_by_client_side_apply(kind, objects[0])
        conflicts = [conflict for conflict in conflicts if conflict.path not in yielded]
    if conflicts:
        raise conflict_error(conflicts)


def _yielded_by_client_side_apply(kind: Kind, live: JsonObject) -> FieldSet:
    """Fields that kubectl applied from the client and nobody changed since: kubectl may take them over."""
    text = _last_applied(live)
    try:
        before = orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return EMPTY
    if not isinstance(before, dict) or before.get("apiVersion") != kind.api_version:
        return EMPTY
    since = compare(kind.type, before, live)
    return _fields_of(kind, before).difference(since.written).difference(since.removed)


def _last_applied(obj: JsonObject) -> str:
    metadata = obj.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    text = annotations.get(LAST_APPLIED) if isinstance(annotations, dict) else None
    return text if isinstance(text, str) else ""


def conflict_error(conflicts: Sequence[Conflict]) -> StatusError:
    """409 in Kubernetes' words, with one cause for every conflict."""
    causes = [
        Cause("FieldManagerConflict", f"conflict with {conflict.printed_owner}", conflict.printed_path)
        for conflict in conflicts
    ]
    if len(conflicts) == 1:
        message = f"Apply failed with 1 conflict: {causes[0].message}: {causes[0].field}"
        return errors.apply_conflict(causes, message)
    by_owner: dict[str, list[str]] = {}
    for conflict in sorted(conflicts, key=lambda one: one.owner[:3]):
        by_owner.setdefault(conflict.printed_owner, []).append(f"- {conflict.printed_path}")
    lines = [line for owner, paths in by_owner.items() for line in (f"conflicts with {owner}:", *paths)]
    joined = "\n".join(lines)
    return errors.apply_conflict(causes, f"Apply failed with {len(conflicts)} conflicts: {joined}")
