"""Autoscalers survive the way to autoscaling/v1 and back."""

import json
from typing import Any

from kubewire.api.autoscaling.v1.horizontal_pod_autoscaler_pb2 import HorizontalPodAutoscaler as AutoscalerV1
from kubewire.api.autoscaling.v2.horizontal_pod_autoscaler_pb2 import HorizontalPodAutoscaler as AutoscalerV2
from kubewire.apiserver.registry.conversions.autoscaling import to_kept, to_served
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict

_METRIC = {"name": "m", "selector": {"matchLabels": {"a": "b"}}}
_OBJECT = {"kind": "Service", "name": "s", "apiVersion": "v1"}
KEPT: dict[str, Any] = {
    "metadata": {"name": "h", "namespace": "default", "annotations": {"mine": "x"}},
    "spec": {
        "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
        "minReplicas": 1,
        "maxReplicas": 5,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
            },
            {
                "type": "Resource",
                "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}},
            },
            {"type": "Pods", "pods": {"metric": _METRIC, "target": {"type": "AverageValue", "averageValue": "3"}}},
            {
                "type": "Object",
                "object": {"describedObject": _OBJECT, "metric": _METRIC, "target": {"type": "Value", "value": "2"}},
            },
            {"type": "External", "external": {"metric": _METRIC, "target": {"type": "Value", "value": "7"}}},
            {
                "type": "ContainerResource",
                "containerResource": {
                    "name": "cpu",
                    "container": "c",
                    "target": {"type": "Utilization", "averageUtilization": 50},
                },
            },
        ],
        "behavior": {"scaleDown": {"policies": [{"type": "Pods", "value": 4, "periodSeconds": 60}]}},
    },
    "status": {
        "currentReplicas": 2,
        "desiredReplicas": 3,
        "currentMetrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "current": {"averageValue": "5m", "averageUtilization": 9}},
            },
            {
                "type": "Object",
                "object": {"describedObject": _OBJECT, "metric": _METRIC, "current": {"averageValue": "4"}},
            },
        ],
        "conditions": [{"type": "AbleToScale", "status": "True"}],
    },
}


def kept() -> AutoscalerV2:
    """An autoscaler that uses everything v2 has."""
    return decode(KEPT, AutoscalerV2)


def served() -> AutoscalerV1:
    """The same in v1."""
    return AutoscalerV1.FromString(to_served(kept().SerializeToString()))


def test_cpu_utilization_has_a_field_of_its_own() -> None:
    """The one metric v1 knows stands in its spec and status."""
    assert served().spec.targetCPUUtilizationPercentage == 70
    assert served().status.currentCPUUtilizationPercentage == 9
    assert (served().spec.maxReplicas, served().spec.scaleTargetRef.name) == (5, "d")


def test_the_rest_stands_in_annotations() -> None:
    """Other metrics have v1's form there, behavior Go's own names."""
    annotations = dict(served().metadata.annotations)
    prefix = "autoscaling.alpha.kubernetes.io/"
    metrics = json.loads(annotations[f"{prefix}metrics"])
    assert metrics[0] == {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}}
    assert [metric["type"] for metric in metrics] == ["Resource", "Pods", "Object", "External", "ContainerResource"]
    behavior = json.loads(annotations[f"{prefix}behavior"])
    assert behavior["ScaleDown"]["Policies"] == [{"Type": "Pods", "Value": 4, "PeriodSeconds": 60}]
    assert annotations["mine"] == "x"


def test_nothing_is_lost_on_the_way_back() -> None:
    """Kept, served and kept again is the same object."""
    again = AutoscalerV2.FromString(to_kept(served().SerializeToString()))
    assert to_dict(again) == to_dict(kept())


def test_a_plain_v1_autoscaler_becomes_one_metric() -> None:
    """What users of v1 write has one metric in v2, and spoilt annotations count as none."""
    plain = AutoscalerV1()
    plain.metadata.annotations["autoscaling.alpha.kubernetes.io/metrics"] = "{"
    plain.spec.targetCPUUtilizationPercentage = 80
    assert to_dict(AutoscalerV2.FromString(to_kept(plain.SerializeToString())))["spec"] == {
        "scaleTargetRef": {"kind": "", "name": ""},
        "maxReplicas": 0,
        "metrics": [
            {
                "type": "Resource",
                "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
            }
        ],
    }
