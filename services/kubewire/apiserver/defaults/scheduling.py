"""Classes of priority."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.api.scheduling.v1.priority_class_pb2 import PriorityClass


def default_priority_class(priority_class: PriorityClass) -> None:
    """Pods of higher priority push others out unless their class says otherwise."""
    if not priority_class.HasField("preemptionPolicy"):
        priority_class.preemptionPolicy = "PreemptLowerPriority"
