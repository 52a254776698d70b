"""Cells of horizontal pod autoscalers: what they measure against what they want, in both versions of the API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.table.ages import UNKNOWN
from kubewire.apiserver.encoding.table.text import NONE, UNSET, Cell, Cells, age_of

if TYPE_CHECKING:
    from kubewire.api.autoscaling.v1.horizontal_pod_autoscaler_pb2 import HorizontalPodAutoscaler as AutoscalerV1
    from kubewire.api.autoscaling.v2.horizontal_pod_autoscaler_pb2 import (
        HorizontalPodAutoscaler,
        MetricSpec,
        MetricStatus,
        MetricTarget,
        MetricValueStatus,
    )

_SHOWN: Final = 2
"""Metrics whose values a row shows; of others it says that they exist."""


def autoscaler_v1(obj: AutoscalerV1) -> Cells:
    """Cells of an autoscaler of autoscaling/v1, which knows one metric: the processor."""
    spec, status = obj.spec, obj.status
    target = NONE
    if spec.HasField("targetCPUUtilizationPercentage"):
        has_current = status.HasField("currentCPUUtilizationPercentage")
        current = f"{status.currentCPUUtilizationPercentage}%" if has_current else UNKNOWN
        target = f"cpu: {current}/{spec.targetCPUUtilizationPercentage}%"
    reference = f"{spec.scaleTargetRef.kind}/{spec.scaleTargetRef.name}"
    least: Cell = str(spec.minReplicas) if spec.HasField("minReplicas") else UNSET
    name, age = obj.metadata.name, age_of(obj.metadata)
    return [name, reference, target, least, spec.maxReplicas, status.currentReplicas, age]


def autoscaler(obj: HorizontalPodAutoscaler) -> Cells:
    """Cells of an autoscaler of autoscaling/v2."""
    spec, status = obj.spec, obj.status
    reference = f"{spec.scaleTargetRef.kind}/{spec.scaleTargetRef.name}"
    least: Cell = str(spec.minReplicas) if spec.HasField("minReplicas") else UNSET
    name, age = obj.metadata.name, age_of(obj.metadata)
    return [name, reference, _metrics(obj), least, spec.maxReplicas, status.currentReplicas, age]


def _metrics(obj: HorizontalPodAutoscaler) -> str:
    statuses = list(obj.status.currentMetrics)
    texts = [
        _metric(spec, statuses[index] if index < len(statuses) else None) for index, spec in enumerate(obj.spec.metrics)
    ]
    shown = ", ".join(texts[:_SHOWN])
    return f"{shown} + {len(texts) - _SHOWN} more..." if len(texts) > _SHOWN else shown or NONE


def _metric(spec: MetricSpec, status: MetricStatus | None) -> str:
    match spec.type:
        case "Resource":
            current = status.resource.current if status and status.HasField("resource") else None
            return f"{spec.resource.name}: {_of_target(spec.resource.target, current)}"
        case "ContainerResource":
            current = status.containerResource.current if status and status.HasField("containerResource") else None
            return f"{spec.containerResource.name}: {_of_target(spec.containerResource.target, current)}"
        case "Pods":
            current = status.pods.current if status and status.HasField("pods") else None
            return _average(spec.pods.target, current)
        case "Object":
            current = status.object.current if status and status.HasField("object") else None
            return _value_or_average(spec.object.target, current)
        case "External":
            current = status.external.current if status and status.HasField("external") else None
            return _value_or_average(spec.external.target, current)
    return "<unknown type>"


def _of_target(target: MetricTarget, current: MetricValueStatus | None) -> str:
    if target.HasField("averageValue"):
        return _average(target, current)
    known = current is not None and current.HasField("averageUtilization")
    now = f"{current.averageUtilization}%" if known and current is not None else UNKNOWN
    return f"{now}/{target.averageUtilization}%" if target.HasField("averageUtilization") else f"{now}/<auto>"


def _average(target: MetricTarget, current: MetricValueStatus | None) -> str:
    now = current.averageValue.string if current is not None and current.HasField("averageValue") else UNKNOWN
    return f"{now}/{target.averageValue.string}"


def _value_or_average(target: MetricTarget, current: MetricValueStatus | None) -> str:
    if target.HasField("averageValue"):
        return f"{_average(target, current)} (avg)"
    now = current.value.string if current is not None and current.HasField("value") else UNKNOWN
    return f"{now}/{target.value.string}"
