"""Which kinds are stored in another version than they are served in, and how their bytes are converted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from kubewire.apiserver.registry.conversions import events
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.resources import Resource

_Value = TypeVar("_Value")


def _same(value: _Value) -> _Value:
    return value


@dataclass(frozen=True, slots=True)
class Conversion:
    """From what is stored to what is served, and back.

    Attributes:
        to_served, to_stored: of an object's bytes.
        stored_field: the stored kind's name for a field that a field selector names.
    """

    to_served: Callable[[bytes], bytes]
    to_stored: Callable[[bytes], bytes]
    stored_field: Callable[[str], str]


SAME_LAYOUT: Final = Conversion(_same, _same, _same)
"""Versions that differ in name only."""

_ADMISSION: Final = "admissionregistration.k8s.io"

CONVERSIONS: Final[Mapping[GroupVersionKind, Conversion]] = {
    GroupVersionKind("events.k8s.io", "v1", "Event"): Conversion(
        events.to_served, events.to_stored, events.stored_field
    ),
    GroupVersionKind(_ADMISSION, "v1", "MutatingAdmissionPolicy"): SAME_LAYOUT,
    GroupVersionKind(_ADMISSION, "v1", "MutatingAdmissionPolicyBinding"): SAME_LAYOUT,
}


def conversion_of(resource: Resource) -> Conversion | None:
    """How `resource` is converted; None if it is served as it is stored, or is not stored at all."""
    if resource.storage is None or resource.storage.version == resource.group_version:
        return None
    return CONVERSIONS.get(resource.gvk)
