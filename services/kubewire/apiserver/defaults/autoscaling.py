"""Horizontal pod autoscalers in both served versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.api.autoscaling.v1.horizontal_pod_autoscaler_pb2 import (
        HorizontalPodAutoscaler as HorizontalPodAutoscalerV1,
    )
    from kubewire.api.autoscaling.v2.horizontal_pod_autoscaler_pb2 import (
        HorizontalPodAutoscaler,
        HorizontalPodAutoscalerSpec,
        HPAScalingRules,
    )

_CPU_PERCENT = 80
_METRICS_ANNOTATION = "autoscaling.alpha.kubernetes.io/metrics"
"""Where version 1 keeps the metrics it has no fields for."""

_SCALE_UP = (("Pods", 4, 15), ("Percent", 100, 15))
_SCALE_DOWN = (("Percent", 100, 15),)


def default_autoscaler_v1(autoscaler: HorizontalPodAutoscalerV1) -> None:
    """Fill version 1: CPU utilization is the metric unless there is another."""
    spec = autoscaler.spec
    if not spec.HasField("minReplicas"):
        spec.minReplicas = 1
    has_metrics = (
        spec.HasField("targetCPUUtilizationPercentage") or _METRICS_ANNOTATION in autoscaler.metadata.annotations
    )
    if not has_metrics:
        spec.targetCPUUtilizationPercentage = _CPU_PERCENT


def default_autoscaler(autoscaler: HorizontalPodAutoscaler) -> None:
    """Fill version 2."""
    spec = autoscaler.spec
    if not spec.HasField("minReplicas"):
        spec.minReplicas = 1
    if not spec.metrics:
        _add_cpu_metric(spec)
    if spec.HasField("behavior"):
        _default_rules(spec.behavior.scaleUp, _SCALE_UP)
        if not spec.behavior.scaleUp.HasField("stabilizationWindowSeconds"):
            spec.behavior.scaleUp.stabilizationWindowSeconds = 0
        _default_rules(spec.behavior.scaleDown, _SCALE_DOWN)


def _add_cpu_metric(spec: HorizontalPodAutoscalerSpec) -> None:
    metric = spec.metrics.add(type="Resource")
    metric.resource.name = "cpu"
    metric.resource.target.type = "Utilization"
    metric.resource.target.averageUtilization = _CPU_PERCENT


def _default_rules(rules: HPAScalingRules, policies: Sequence[tuple[str, int, int]]) -> None:
    if not rules.HasField("selectPolicy"):
        rules.selectPolicy = "Max"
    if not rules.policies:
        for kind, value, period_seconds in policies:
            rules.policies.add(type=kind, value=value, periodSeconds=period_seconds)
