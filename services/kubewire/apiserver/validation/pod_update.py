"""What may change of a pod that is there: nearly nothing, since what runs cannot be asked to be otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import MAX_INT32, Problems, check_range
from kubewire.apiserver.validation.pod_spec import check_pod_spec
from kubewire.machinery.field_errors import FieldError, forbidden, invalid, required
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
    from kubewire.api.core.v1.scheduling_pb2 import Toleration
    from kubewire.api.resource.quantity_pb2 import Quantity

ResourceList: TypeAlias = "Mapping[str, Quantity]"

_SPEC = ROOT.child("spec")
_EPHEMERAL = _SPEC.child("ephemeralContainers")
_RESIZABLE = frozenset({"cpu", "memory"})
_CHANGEABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)


def validate_pod_update(new: Pod, old: Pod) -> list[FieldError]:
    """Images, a shorter deadline, more tolerations, fewer scheduling gates; nothing else."""
    problems: Problems = []
    if new.spec == old.spec:
        return problems
    check_pod_spec(new.spec, _SPEC, problems)
    for member in ("containers", "initContainers"):
        wanted, known = getattr(new.spec, member), getattr(old.spec, member)
        if not _check_containers(wanted, known, _SPEC.child(member), problems):
            return problems
    if not _check_deadline(new.spec, old.spec, _SPEC.child("activeDeadlineSeconds"), problems):
        return problems
    _check_tolerations(new.spec.tolerations, old.spec.tolerations, _SPEC.child("tolerations"), problems)
    _check_gates(new.spec, old.spec, _SPEC.child("schedulingGates"), problems)
    changed = _other_changes(new.spec, old.spec)
    if changed:
        detail = f"pod updates may not change fields other than {','.join(_CHANGEABLE)}\n changed: {', '.join(changed)}"
        problems.append(forbidden(_SPEC, detail))
    return problems


def _check_containers(new: Sequence[Container], old: Sequence[Container], path: Path, problems: Problems) -> bool:
    """Images stay there; False if containers came or went, which makes all else pointless."""
    if len(new) != len(old):
        problems.append(forbidden(path, "pod updates may not add or remove containers"))
        return False
    problems.extend(
        required(path.index(position).child("image"))
        for position, container in enumerate(new)
        if not container.image.strip()
    )
    return True


def _check_deadline(new: PodSpec, old: PodSpec, path: Path, problems: Problems) -> bool:
    """A deadline may be set, or come nearer."""
    if new.HasField("activeDeadlineSeconds"):
        before = len(problems)
        check_range(new.activeDeadlineSeconds, 0, MAX_INT32, path, problems)
        is_later = old.HasField("activeDeadlineSeconds") and old.activeDeadlineSeconds < new.activeDeadlineSeconds
        if len(problems) == before and is_later:
            detail = "must be less than or equal to previous value"
            problems.append(invalid(path, new.activeDeadlineSeconds, detail))
        return len(problems) == before
    if old.HasField("activeDeadlineSeconds"):
        problems.append(invalid(path, None, "must not update from a positive integer to nil value"))
    return True


def _check_tolerations(new: Sequence[Toleration], old: Sequence[Toleration], path: Path, problems: Problems) -> None:
    """What was tolerated still is, be it for another time."""
    tolerated = {_without_time(item) for item in new}
    if any(_without_time(item) not in tolerated for item in old):
        detail = "existing toleration can not be modified except its tolerationSeconds"
        problems.append(forbidden(path, detail))


def _without_time(item: Toleration) -> tuple[str, str, str, str]:
    return item.key, item.operator, item.value, item.effect


def _check_gates(new: PodSpec, old: PodSpec, path: Path, problems: Problems) -> None:
    known = {gate.name for gate in old.schedulingGates}
    for position, gate in enumerate(new.schedulingGates):
        if gate.name not in known:
            detail = f"only deletion is allowed, but found new scheduling gate '{gate.name}'"
            problems.append(forbidden(path.index(position), detail))


def _other_changes(new: PodSpec, old: PodSpec) -> list[str]:
    """Fields that changed though they may not."""
    rest = type(new)()
    rest.CopyFrom(new)
    for member in ("containers", "initContainers"):
        for container, before in zip(getattr(rest, member), getattr(old, member), strict=True):
            container.image = before.image
    _restore(rest, old, "tolerations")
    _restore(rest, old, "schedulingGates")
    if old.HasField("activeDeadlineSeconds"):
        rest.activeDeadlineSeconds = old.activeDeadlineSeconds
    else:
        rest.ClearField("activeDeadlineSeconds")
    if old.terminationGracePeriodSeconds < 0 and rest.terminationGracePeriodSeconds == 1:
        rest.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds
    if old.schedulingGates:
        _restore_placement(rest, old)
    wanted = {member.name: value for member, value in rest.ListFields()}
    known = {member.name: value for member, value in old.ListFields()}
    return sorted(name for name in {*wanted, *known} if wanted.get(name) != known.get(name))


def _restore(rest: PodSpec, old: PodSpec, member: str) -> None:
    target = getattr(rest, member)
    del target[:]
    target.extend(getattr(old, member))


def _restore_placement(rest: PodSpec, old: PodSpec) -> None:
    """A pod that waits at its gates may still be given to fewer nodes."""
    if all(rest.nodeSelector.get(key) == value for key, value in old.nodeSelector.items()):
        rest.ClearField("nodeSelector")
        rest.nodeSelector.update(old.nodeSelector)
    if not old.affinity.HasField("nodeAffinity") and rest.HasField("affinity"):
        rest.affinity.ClearField("nodeAffinity")
        if not old.HasField("affinity") and not rest.affinity.ListFields():
            rest.ClearField("affinity")


def validate_ephemeral_containers_update(new: Pod, old: Pod) -> list[FieldError]:
    """Containers may be added, not changed or removed."""
    problems: Problems = []
    check_pod_spec(new.spec, _SPEC, problems)
    wanted = {item.ephemeralContainerCommon.name: item for item in new.spec.ephemeralContainers}
    for item in old.spec.ephemeralContainers:
        name = item.ephemeralContainerCommon.name
        if name not in wanted:
            detail = f'existing ephemeral containers "{name}" may not be removed\n'
            problems.append(forbidden(_EPHEMERAL, detail))
        elif wanted[name] != item:
            detail = f'existing ephemeral containers "{name}" may not be changed\n'
            problems.append(forbidden(_EPHEMERAL, detail))
    return problems


def validate_resize(new: Pod, old: Pod) -> list[FieldError]:
    """Only amounts of cpu and memory change, and none of them goes away."""
    problems: Problems = []
    check_pod_spec(new.spec, _SPEC, problems)
    for member in ("initContainers", "containers"):
        pairs = zip(getattr(new.spec, member), getattr(old.spec, member), strict=False)
        for position, (container, before) in enumerate(pairs):
            path = _SPEC.child(member).index(position).child("resources")
            for kind in ("limits", "requests"):
                amounts, known = getattr(container.resources, kind), getattr(before.resources, kind)
                _check_amounts(amounts, known, path.child(kind), problems, kind)
    return problems


def _check_amounts(new: ResourceList, old: ResourceList, path: Path, problems: Problems, kind: str) -> None:
    for name in sorted({*new, *old}):
        if name in _RESIZABLE:
            if name not in new:
                problems.append(forbidden(path.key(name), f"resource {kind} cannot be removed"))
        elif name not in new or name not in old or new[name] != old[name]:
            problems.append(forbidden(_SPEC, "only cpu and memory resources are mutable"))
