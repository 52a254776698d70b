"""Namespaces: the finalizers that hold them while they still have contents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.metadata import validate_builtin_finalizer, validate_finalizer_name
from kubewire.machinery.field_errors import FieldError, invalid
from kubewire.machinery.field_path import ROOT

if TYPE_CHECKING:
    from kubewire.api.core.v1.namespace_pb2 import Namespace

_FINALIZERS = ROOT.child("spec", "finalizers")
_PHASE = ROOT.child("status", "Phase")


def validate_namespace(namespace: Namespace) -> list[FieldError]:
    """Finalizers of the spec are qualified names or Kubernetes' own."""
    problems: list[FieldError] = []
    for position, finalizer in enumerate(namespace.spec.finalizers):
        path = _FINALIZERS.index(position)
        problems += validate_finalizer_name(finalizer, path)
        problems += validate_builtin_finalizer(finalizer, path)
    return problems


def validate_finalize(new: Namespace, _old: Namespace) -> list[FieldError]:
    """As on creation."""
    return validate_namespace(new)


def validate_namespace_status(new: Namespace, _old: Namespace) -> list[FieldError]:
    """The phase follows from whether the namespace is being deleted."""
    is_deleted = new.metadata.HasField("deletionTimestamp")
    if is_deleted and new.status.phase != "Terminating":
        return [invalid(_PHASE, new.status.phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
    if not is_deleted and new.status.phase != "Active":
        return [invalid(_PHASE, new.status.phase, "may only be 'Active' if `deletionTimestamp` is empty")]
    return []
