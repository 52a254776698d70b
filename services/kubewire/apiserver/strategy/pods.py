"""Pods: their first status, what an update may touch, and how long they take to go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

from kubewire.apiserver.options import DeleteOptions
from kubewire.apiserver.strategy.base import KindStrategy
from kubewire.apiserver.strategy.contracts import UpdateStrategy, WriteContext
from kubewire.apiserver.strategy.metadata import drop_if_empty, prepare_changed_metadata, snapshot
from kubewire.apiserver.strategy.pod_label_keys import merge_label_keys
from kubewire.apiserver.strategy.pod_qos import qos_class
from kubewire.apiserver.validation.metadata import validate_metadata_update
from kubewire.apiserver.validation.pod_update import (
    validate_ephemeral_containers_update,
    validate_resize,
)
from kubewire.machinery.field_errors import FieldError, invalid
from kubewire.machinery.field_path import ROOT

if TYPE_CHECKING:
    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.core.v1.pod_pb2 import Pod

_FINISHED = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, kw_only=True)
class PodStrategy(KindStrategy["Pod"]):
    """Pods begin Pending; their spec is nearly fixed; deleting one gives it time to end."""

    counted: tuple[str, ...] = ("spec",)
    has_status: bool = True
    others: Mapping[str, UpdateStrategy] = field(
        default_factory=lambda: {
            "ephemeralcontainers": cast("UpdateStrategy", EphemeralContainersStrategy()),
            "resize": cast("UpdateStrategy", ResizeStrategy()),
        }
    )

    def initialize(self, obj: Pod, _ctx: WriteContext) -> None:
        """The first status, and selectors completed from the pod's labels."""
        obj.status.phase = "Pending"
        obj.status.qosClass = qos_class(obj.spec)
        _note_scheduling_gates(obj)
        merge_label_keys(obj)

    def reconcile_status(self, new: Pod, old: Pod, _ctx: WriteContext) -> None:
        """Owners stay as they are: kubelets have been known to write back stale ones."""
        new.metadata.ClearField("ownerReferences")
        new.metadata.ownerReferences.extend(old.metadata.ownerReferences)
        if not new.status.qosClass and old.status.qosClass:
            new.status.qosClass = old.status.qosClass

    def graceful_deletion(self, obj: Pod, options: DeleteOptions) -> int:
        """The time the caller or the pod asks for; none where no kubelet has anything to end."""
        if not obj.spec.nodeName or obj.status.phase in _FINISHED:
            return 0
        asked = options.grace_period_seconds
        seconds = obj.spec.terminationGracePeriodSeconds if asked is None else asked
        return 1 if seconds < 0 else seconds


def _note_scheduling_gates(pod: Pod) -> None:
    if pod.spec.schedulingGates:
        pod.status.conditions.add(
            type="PodScheduled",
            status="False",
            reason="SchedulingGated",
            message="Scheduling is blocked due to non-empty scheduling gates",
        )


def _count(new: Pod, old: Pod) -> None:
    if new.spec != old.spec:
        new.metadata.generation = old.metadata.generation + 1


@dataclass(frozen=True)
class EphemeralContainersStrategy:
    """`pods/ephemeralcontainers` adds containers to debug a pod and changes nothing else."""

    def prepare_update(self, new: Pod, old: Pod, _ctx: WriteContext) -> None:
        """Take nothing but the containers (and the version the caller saw) from `new`."""
        wanted = [snapshot(item) for item in new.spec.ephemeralContainers]
        _restore(new, old)
        new.spec.ClearField("ephemeralContainers")
        new.spec.ephemeralContainers.extend(wanted)
        _count(new, old)

    def validate_update(self, new: Pod, old: Pod) -> list[FieldError]:
        """Containers may be added, not changed or removed."""
        problems = validate_metadata_update(new.metadata, old.metadata)
        return problems + validate_ephemeral_containers_update(new, old)


@dataclass(frozen=True)
class ResizeStrategy:
    """`pods/resize` changes resources of running containers and nothing else (KEP-1287)."""

    def prepare_update(self, new: Pod, old: Pod, _ctx: WriteContext) -> None:
        """Take nothing but resources from `new`."""
        wanted = {item.name: snapshot(item.resources) for item in _resizable(new)}
        _restore(new, old)
        for container in _resizable(new):
            if container.name in wanted:
                container.resources.CopyFrom(wanted[container.name])
                drop_if_empty(container, "resources")
        _count(new, old)

    def validate_update(self, new: Pod, old: Pod) -> list[FieldError]:
        """Only cpu and memory change, and the pod keeps its class of service."""
        problems = validate_metadata_update(new.metadata, old.metadata)
        wanted = qos_class(new.spec)
        if wanted != qos_class(old.spec):
            detail = "Pod QOS Class may not change as a result of resizing"
            problems.append(invalid(ROOT.child("spec"), wanted, detail))
        return problems + validate_resize(new, old)


def _resizable(pod: Pod) -> list[Container]:
    return [*pod.spec.containers, *pod.spec.initContainers]


def _restore(new: Pod, old: Pod) -> None:
    """Make `new` what is stored, but for who owns what."""
    managed = [snapshot(entry) for entry in new.metadata.managedFields]
    new.CopyFrom(old)
    new.metadata.ClearField("managedFields")
    new.metadata.managedFields.extend(managed)
    prepare_changed_metadata(new.metadata, old.metadata)
