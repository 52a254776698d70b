"""What may change of a pod that is there: nearly nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from kubewire.machinery.field_errors import FieldError, forbidden
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.resource.quantity_pb2 import Quantity

ResourceList: TypeAlias = "Mapping[str, Quantity]"

_SPEC = ROOT.child("spec")
_EPHEMERAL = ROOT.child("spec", "ephemeralContainers")
_RESIZABLE = frozenset({"cpu", "memory"})


def validate_ephemeral_containers_update(new: Pod, old: Pod) -> list[FieldError]:
    """Containers may be added, not changed or removed."""
    problems: list[FieldError] = []
    wanted = {item.ephemeralContainerCommon.name: item for item in new.spec.ephemeralContainers}
    for item in old.spec.ephemeralContainers:
        name = item.ephemeralContainerCommon.name
        if name not in wanted:
            problems.append(forbidden(_EPHEMERAL, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif wanted[name] != item:
            detail = f'existing ephemeral containers "{name}" may not be changed\n'
            problems.append(forbidden(_EPHEMERAL, detail))
    return problems


def validate_resize(new: Pod, old: Pod) -> list[FieldError]:
    """Only amounts of cpu and memory change, and none of them goes away."""
    problems: list[FieldError] = []
    pairs = (
        ("initContainers", new.spec.initContainers, old.spec.initContainers),
        ("containers", new.spec.containers, old.spec.containers),
    )
    for member, containers, known in pairs:
        for position, (container, before) in enumerate(zip(containers, known, strict=False)):
            path = _SPEC.child(member).index(position).child("resources")
            _check_amounts(container.resources.limits, before.resources.limits, path.child("limits"), problems)
            _check_amounts(container.resources.requests, before.resources.requests, path.child("requests"), problems)
    return problems


def _check_amounts(new: ResourceList, old: ResourceList, path: Path, problems: list[FieldError]) -> None:
    for name in {*new, *old}:
        if name in _RESIZABLE:
            if name not in new:
                what = "limits" if str(path).endswith("limits") else "requests"
                problems.append(forbidden(path.key(name), f"resource {what} cannot be removed"))
        elif name not in new or name not in old or new[name] != old[name]:
            problems.append(forbidden(_SPEC, "only cpu and memory resources are mutable"))
