"""Metadata, which every kind has: names, labels, annotations, owners, finalizers, and what an update may change.

The checks run on every write, so names and label sets that were found good are remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from kubewire.machinery import names
from kubewire.machinery.codec.moments import format_time
from kubewire.machinery.field_errors import (
    FieldError,
    forbidden,
    immutable,
    invalid,
    required,
    too_long,
)
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ManagedFieldsEntry, ObjectMeta, OwnerReference

METADATA = ROOT.child("metadata")

ANNOTATIONS_LIMIT_BYTES = 256 * 1024
_FIELD_MANAGER_LIMIT = 128
_GARBAGE_FINALIZERS = frozenset({"orphan", "foregroundDeletion"})
_STANDARD_FINALIZERS = frozenset({"kubernetes", "orphan", "foregroundDeletion"})


def validate_metadata(
    meta: ObjectMeta, check_name: names.Check, *, namespaced: bool, builtin: bool = True
) -> list[FieldError]:
    """What is wrong with a new object's metadata; `builtin` kinds are stricter about finalizers."""
    path = METADATA
    problems: list[FieldError] = []
    if meta.generateName:
        check_prefix = names.as_name_prefix(check_name)
        problems += [
            invalid(path.child("generateName"), meta.generateName, problem)
            for problem in check_prefix(meta.generateName)
        ]
    _check_name(meta, check_name, path, problems)
    _check_namespace(meta, path, problems, namespaced=namespaced)
    _check_generation(meta, path, problems)
    _check_common(meta, path, problems)
    if meta.finalizers:
        _check_finalizers(meta, path.child("finalizers"), problems, builtin=builtin)
    return problems


def _check_finalizers(meta: ObjectMeta, path: Path, problems: list[FieldError], *, builtin: bool) -> None:
    problems += validate_finalizers(meta.finalizers, path)
    for position, finalizer in enumerate(meta.finalizers if builtin else ()):
        problems += validate_builtin_finalizer(finalizer, path.index(position))


def _check_name(meta: ObjectMeta, check_name: names.Check, path: Path, problems: list[FieldError]) -> None:
    if not meta.name:
        problems.append(required(path.child("name"), "name or generateName is required"))
        return
    wrong = _problems_of_name(check_name, meta.name)
    problems += [invalid(path.child("name"), meta.name, problem) for problem in wrong]


@lru_cache(8192)
def _problems_of_name(check_name: names.Check, name: str) -> tuple[str, ...]:
    return tuple(check_name(name))


def _check_namespace(meta: ObjectMeta, path: Path, problems: list[FieldError], *, namespaced: bool) -> None:
    if not namespaced:
        if meta.namespace:
            problems.append(forbidden(path.child("namespace"), "not allowed on this type"))
    elif not meta.namespace:
        problems.append(required(path.child("namespace")))
    else:
        wrong = _problems_of_name(names.dns1123_label, meta.namespace)
        problems += [invalid(path.child("namespace"), meta.namespace, problem) for problem in wrong]


def _check_generation(meta: ObjectMeta, path: Path, problems: list[FieldError]) -> None:
    if meta.generation < 0:
        problems.append(invalid(path.child("generation"), meta.generation, "must be greater than or equal to 0"))


def _check_common(meta: ObjectMeta, path: Path, problems: list[FieldError]) -> None:
    """What a create and an update check alike."""
    if meta.labels:
        problems += validate_labels(meta.labels, path.child("labels"))
    if meta.annotations:
        problems += validate_annotations(meta.annotations, path.child("annotations"))
    if meta.ownerReferences:
        problems += validate_owners(meta.ownerReferences, path.child("ownerReferences"))
    if meta.managedFields:
        problems += validate_managed_fields(meta.managedFields, path.child("managedFields"))


@lru_cache(8192)
def _problems_of_label(key: str, value: str) -> tuple[tuple[str, str], ...]:
    """Pairs of the bad text (the key or the value) and what is wrong with it."""
    wrong_keys = [(key, problem) for problem in names.qualified_name(key)]
    wrong_values = [(value, problem) for problem in names.label_value(value)]
    return (*wrong_keys, *wrong_values)


def validate_labels(labels: Mapping[str, str], path: Path) -> list[FieldError]:
    """Keys are qualified names; values are short words or empty."""
    return [
        invalid(path, text, problem)
        for key, value in labels.items()
        for text, problem in _problems_of_label(key, value)
    ]


@lru_cache(4096)
def _problems_of_qualified_name(key: str) -> tuple[str, ...]:
    return tuple(names.qualified_name(key))


def validate_annotations(annotations: Mapping[str, str], path: Path) -> list[FieldError]:
    """Keys are qualified names in whatever case; all together are at most 256 KiB."""
    problems = []
    size = 0
    for key, value in annotations.items():
        problems += [invalid(path, key, problem) for problem in _problems_of_qualified_name(key.lower())]
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_LIMIT_BYTES:
        problems.append(too_long(path, ANNOTATIONS_LIMIT_BYTES))
    return problems


def validate_owners(owners: Sequence[OwnerReference], path: Path) -> list[FieldError]:
    """Owners are complete, no events, and at most one of them is the controller."""
    problems: list[FieldError] = []
    controller = ""
    for position, owner in enumerate(owners):
        problems += _validate_owner(owner, path.index(position))
        if not owner.controller:
            continue
        if controller:
            detail = (
                "Only one reference can have Controller set to true. "
                f'Found "true" in references for {controller} and {owner.name}'
            )
            problems.append(invalid(path, _owners_json(owners), detail))
        else:
            controller = owner.name
    return problems


def _validate_owner(owner: OwnerReference, path: Path) -> list[FieldError]:
    problems: list[FieldError] = []
    if not owner.apiVersion or owner.apiVersion.endswith("/") or owner.apiVersion.count("/") > 1:
        problems.append(invalid(path.child("apiVersion"), owner.apiVersion, "version must not be empty"))
    if not owner.kind:
        problems.append(invalid(path.child("kind"), owner.kind, "must not be empty"))
    if not owner.name:
        problems.append(invalid(path.child("name"), owner.name, "must not be empty"))
    if not owner.uid:
        problems.append(invalid(path.child("uid"), owner.uid, "must not be empty"))
    if owner.apiVersion == "v1" and owner.kind == "Event":
        detail = "/v1, Kind=Event is disallowed from being an owner"
        problems.append(invalid(path, _owner_json(owner), detail))
    return problems


def _owner_json(owner: OwnerReference) -> dict[str, object]:
    """As it is printed in messages."""
    printed: dict[str, object] = {
        "apiVersion": owner.apiVersion,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
    }
    if owner.HasField("controller"):
        printed["controller"] = owner.controller
    if owner.HasField("blockOwnerDeletion"):
        printed["blockOwnerDeletion"] = owner.blockOwnerDeletion
    return printed


def _owners_json(owners: Sequence[OwnerReference]) -> list[dict[str, object]]:
    return [_owner_json(owner) for owner in owners]


def validate_finalizers(finalizers: Sequence[str], path: Path) -> list[FieldError]:
    """Finalizers are qualified names; a deletion cannot both orphan and wait for what is owned."""
    problems = [
        problem
        for position, finalizer in enumerate(finalizers)
        for problem in validate_finalizer_name(finalizer, path.index(position))
    ]
    if _GARBAGE_FINALIZERS.issubset(finalizers):
        detail = "finalizer orphan and foregroundDeletion cannot be both set"
        problems.append(invalid(path, list(finalizers), detail))
    return problems


def validate_finalizer_name(finalizer: str, path: Path) -> list[FieldError]:
    """One finalizer: a qualified name."""
    return [invalid(path, finalizer, problem) for problem in _problems_of_qualified_name(finalizer)]


def validate_builtin_finalizer(finalizer: str, path: Path) -> list[FieldError]:
    """On Kubernetes' own kinds, names without a domain are Kubernetes' own, too."""
    if "/" in finalizer or finalizer in _STANDARD_FINALIZERS:
        return []
    detail = "name is neither a standard finalizer name nor is it fully qualified"
    return [invalid(path, finalizer, detail)]


def validate_managed_fields(entries: Sequence[ManagedFieldsEntry], path: Path) -> list[FieldError]:
    """Entries name an operation and a manager of reasonable length."""
    problems = []
    for position, entry in enumerate(entries):
        if entry.operation not in {"Apply", "Update"}:
            detail = "must be `Apply` or `Update`"
            problems.append(invalid(path.index(position).child("operation"), entry.operation, detail))
        if entry.fieldsType and entry.fieldsType != "FieldsV1":
            detail = "must be `FieldsV1`"
            problems.append(invalid(path.index(position).child("fieldsType"), entry.fieldsType, detail))
        problems += validate_field_manager(entry.manager, path.index(position).child("manager"))
    return problems


def validate_field_manager(manager: str, path: Path) -> list[FieldError]:
    """The name under which fields are owned is printable and short."""
    problems = []
    if len(manager) > _FIELD_MANAGER_LIMIT:
        problems.append(too_long(path, _FIELD_MANAGER_LIMIT))
    if not manager.isprintable():
        problems.append(invalid(path, manager, "should only contain printable characters"))
    return problems


def validate_metadata_update(new: ObjectMeta, old: ObjectMeta, path: Path = METADATA) -> list[FieldError]:
    """What is wrong with changed metadata; identity, origin and deletion cannot change.

    The resourceVersion is not looked at: whoever stores the object compares it with what is there.
    """
    problems: list[FieldError] = []
    if old.HasField("deletionTimestamp"):
        problems += _validate_no_new_finalizers(new.finalizers, old.finalizers, path)
    _check_generation_update(new, old, path, problems)
    for member in ("name", "namespace", "uid"):
        if getattr(new, member) != getattr(old, member):
            problems.append(immutable(path.child(member), getattr(new, member)))
    _check_deletion_update(new, old, path, problems)
    problems += validate_finalizers(new.finalizers, path.child("finalizers")) if new.finalizers else []
    _check_common(new, path, problems)
    return problems


def _check_generation_update(new: ObjectMeta, old: ObjectMeta, path: Path, problems: list[FieldError]) -> None:
    if new.generation < old.generation:
        problems.append(invalid(path.child("generation"), new.generation, "must not be decremented"))


def _check_deletion_update(new: ObjectMeta, old: ObjectMeta, path: Path, problems: list[FieldError]) -> None:
    if new.deletionTimestamp.seconds != old.deletionTimestamp.seconds:
        problems.append(immutable(path.child("deletionTimestamp"), _deletion_time(new)))
    if new.deletionGracePeriodSeconds != old.deletionGracePeriodSeconds:
        grace_seconds = new.deletionGracePeriodSeconds if new.HasField("deletionGracePeriodSeconds") else None
        problems.append(immutable(path.child("deletionGracePeriodSeconds"), grace_seconds))


def _deletion_time(meta: ObjectMeta) -> str | None:
    if not meta.HasField("deletionTimestamp"):
        return None
    return format_time(meta.deletionTimestamp.seconds)


def _validate_no_new_finalizers(finalizers: Sequence[str], known: Sequence[str], path: Path) -> list[FieldError]:
    added = sorted(set(finalizers) - set(known))
    if not added:
        return []
    listed = ", ".join(f'"{name}":sets.Empty{{}}' for name in added)
    detail = (
        f"no new finalizers can be added if the object is being deleted, found new finalizers sets.String{{{listed}}}"
    )
    return [forbidden(path.child("finalizers"), detail)]
