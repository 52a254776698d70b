"""Which kinds are kept in another version than they are served in, and how their bytes are converted.

A kind is kept, in the store and in the cache, in one version. Versions that differ in name only need no conversion:
their bytes are the same, and only the envelope in the store says another version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from kubewire.apiserver.registry.conversions import autoscaling, events
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.resources import Resource


@dataclass(frozen=True, slots=True)
class Conversion:
    """From what is kept to what is served, and back.

    Attributes:
        to_served, to_kept: of an object's bytes.
        kept_field: the kept kind's name for a field that a field selector names.
    """

    to_served: Callable[[bytes], bytes]
    to_kept: Callable[[bytes], bytes]
    kept_field: Callable[[str], str]


CONVERSIONS: Final[Mapping[GroupVersionKind, Conversion]] = {
    GroupVersionKind("events.k8s.io", "v1", "Event"): Conversion(events.to_served, events.to_kept, events.kept_field),
    GroupVersionKind("autoscaling", "v1", "HorizontalPodAutoscaler"): Conversion(
        autoscaling.to_served, autoscaling.to_kept, autoscaling.kept_field
    ),
}


def conversion_of(resource: Resource) -> Conversion | None:
    """How `resource` is converted; None if it is served as it is kept."""
    return CONVERSIONS.get(resource.gvk)
