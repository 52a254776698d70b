"""Pods as a kind: what a create, and a status update, may hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import Problems
from kubewire.apiserver.validation.pod_spec import check_pod_spec
from kubewire.machinery.field_errors import FieldError, forbidden, invalid
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod

_SPEC = ROOT.child("spec")
_CONTAINERS = _SPEC.child("containers")
_INIT_CONTAINERS = _SPEC.child("initContainers")
_STATUS = ROOT.child("status")


def validate_pod(pod: Pod) -> list[FieldError]:
    """A new pod."""
    problems: Problems = []
    check_pod_spec(pod.spec, _SPEC, problems)
    _check_images(pod.spec.initContainers, _INIT_CONTAINERS, problems)
    _check_images(pod.spec.containers, _CONTAINERS, problems)
    if pod.spec.ephemeralContainers:
        problems.append(forbidden(_SPEC.child("ephemeralContainers"), "cannot be set on create"))
    if pod.spec.schedulingGates and pod.spec.nodeName:
        detail = "cannot be set until all schedulingGates have been cleared"
        problems.append(forbidden(_SPEC.child("nodeName"), detail))
    return problems


def _check_images(containers: Iterable[Container], path: Path, problems: Problems) -> None:
    """Templates are more lenient: there, a blank image may stand for one that is filled in later."""
    for position, container in enumerate(containers):
        if container.image != container.image.strip():
            detail = "must not have leading or trailing whitespace"
            problems.append(invalid(path.index(position).child("image"), container.image, detail))


def validate_pod_status(new: Pod, old: Pod) -> list[FieldError]:
    """A container that has ended for good does not come back."""
    problems: Problems = []
    if new.spec.nodeName != old.spec.nodeName:
        problems.append(forbidden(_STATUS.child("nodeName"), "may not be changed directly"))
    if old.spec.restartPolicy != "Always":
        path = _STATUS.child("containerStatuses")
        retries = old.spec.restartPolicy == "OnFailure"
        _check_transitions(new.status.containerStatuses, old.status.containerStatuses, path, problems, retries=retries)
    return problems


def _check_transitions(
    new: Iterable[ContainerStatus],
    old: Iterable[ContainerStatus],
    path: Path,
    problems: Problems,
    *,
    retries: bool,
) -> None:
    states = {status.name: status.state for status in new}
    for position, before in enumerate(old):
        is_over = before.state.HasField("terminated") and not (retries and before.state.terminated.exitCode)
        after = states.get(before.name)
        if is_over and after is not None and not after.HasField("terminated"):
            at = path.index(position).child("state")
            problems.append(forbidden(at, "may not be transitioned to non-terminated state"))


def pod_warnings(pod: Pod) -> list[str]:
    """What stock servers say about pods they accept."""
    warnings = []
    spec = pod.spec
    if spec.HasField("terminationGracePeriodSeconds") and spec.terminationGracePeriodSeconds < 0:
        warnings.append(
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        )
    for i, container in enumerate(spec.containers):
        seen: dict[str, int] = {}
        for j, variable in enumerate(container.env):
            if variable.name in seen:
                warnings.append(
                    f"spec.containers[{i}].env[{j}]: hides previous definition of "
                    f'"{variable.name}", which may be dropped when using apply'
                )
            seen[variable.name] = j
    return warnings
