"""autoscaling/v1 autoscalers beside the kept autoscaling/v2: v1 has a field for one metric only, CPU utilization.

What v1 has no field for stands in annotations as JSON, in Kubernetes' form, so that nothing is lost on a way there and
back; the annotations exist in v1 only. Autoscalers are few, so this works on their JSON forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from kubewire.api.autoscaling.v1.horizontal_pod_autoscaler_pb2 import HorizontalPodAutoscaler as AutoscalerV1
from kubewire.api.autoscaling.v2.horizontal_pod_autoscaler_pb2 import HorizontalPodAutoscaler as AutoscalerV2
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict

Json = dict[str, Any]  # Any: the shape is what this module is about

_PREFIX: Final = "autoscaling.alpha.kubernetes.io/"
_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR = (
    f"{_PREFIX}{name}" for name in ("metrics", "current-metrics", "conditions", "behavior")
)
_SHARED_SPEC: Final = ("scaleTargetRef", "minReplicas", "maxReplicas")
_SHARED_STATUS: Final = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")

Paths = Mapping[str, str]
_NAMED: Final[Paths] = {"metric.name": "metricName"}
_RESOURCE: Final[Paths] = {
    "name": "name",
    "target.averageUtilization": "targetAverageUtilization",
    "target.averageValue": "targetAverageValue",
    "current.averageUtilization": "currentAverageUtilization",
    "current.averageValue": "currentAverageValue",
}
_SOURCES: Final[Mapping[str, Paths]] = {
    "object": {
        **_NAMED,
        "describedObject": "target",
        "metric.selector": "selector",
        "target.value": "targetValue",
        "target.averageValue": "averageValue",
        "current.value": "currentValue",
        "current.averageValue": "averageValue",
    },
    "pods": {
        **_NAMED,
        "metric.selector": "selector",
        "target.averageValue": "targetAverageValue",
        "current.averageValue": "currentAverageValue",
    },
    "resource": _RESOURCE,
    "containerResource": {**_RESOURCE, "container": "container"},
    "external": {
        **_NAMED,
        "metric.selector": "metricSelector",
        "target.value": "targetValue",
        "target.averageValue": "targetAverageValue",
        "current.value": "currentValue",
        "current.averageValue": "currentAverageValue",
    },
}
"""For each type of metric, where v1 has what v2 has; `target` of metrics asked for, `current` of those measured."""


def to_served(raw: bytes) -> bytes:
    """A kept autoscaler as autoscaling/v1 shows it."""
    kept: Json = to_dict(AutoscalerV2.FromString(raw))
    spec, status = kept.get("spec", {}), kept.get("status", {})
    metrics, measured = spec.get("metrics") or [], status.get("currentMetrics") or []
    served: Json = {
        "metadata": kept["metadata"],
        "spec": {name: spec[name] for name in _SHARED_SPEC if name in spec},
        "status": {name: status[name] for name in _SHARED_STATUS if name in status},
    }
    for metric in filter(_is_cpu_utilization, metrics[::-1]):
        served["spec"]["targetCPUUtilizationPercentage"] = metric["resource"]["target"]["averageUtilization"]
    for metric in measured:
        if metric.get("type") == "Resource" and metric["resource"]["name"] == "cpu":
            served["status"]["currentCPUUtilizationPercentage"] = metric["resource"]["current"].get(
                "averageUtilization"
            )
    hidden = {
        _METRICS: [_to_v1(metric) for metric in metrics if not _is_cpu_utilization(metric)],
        _CURRENT: [_to_v1(metric) for metric in measured],
        _CONDITIONS: status.get("conditions"),
        _BEHAVIOR: _renamed(spec.get("behavior"), str.upper),
    }
    texts = {name: orjson.dumps(value).decode() for name, value in hidden.items() if value}
    if texts:
        served["metadata"].setdefault("annotations", {}).update(texts)
    return decode(served, AutoscalerV1).SerializeToString(deterministic=True)


def to_kept(raw: bytes) -> bytes:
    """An autoscaling/v1 autoscaler as it is kept."""
    served: Json = to_dict(AutoscalerV1.FromString(raw))
    annotations = served["metadata"].get("annotations", {})
    hidden = {name: _parse(annotations.pop(name, "")) for name in (_METRICS, _CURRENT, _CONDITIONS, _BEHAVIOR)}
    spec, status = served.get("spec", {}), served.get("status", {})
    cpu = spec.pop("targetCPUUtilizationPercentage", None)
    measured_cpu = status.pop("currentCPUUtilizationPercentage", None)
    metrics = [_cpu("target", "Utilization", cpu)] if cpu is not None else []
    measured = [_to_v2(metric, "current") for metric in hidden[_CURRENT] or ()]
    if not measured and measured_cpu is not None:
        measured = [_cpu("current", "", measured_cpu)]
    spec["metrics"] = metrics + [_to_v2(metric, "target") for metric in hidden[_METRICS] or ()]
    if hidden[_BEHAVIOR]:
        spec["behavior"] = _renamed(hidden[_BEHAVIOR], str.lower)
    status["currentMetrics"] = measured
    status["conditions"] = hidden[_CONDITIONS] or []
    kept = {"metadata": served["metadata"], "spec": spec, "status": status}
    return decode(kept, AutoscalerV2).SerializeToString(deterministic=True)


def kept_field(selector: str) -> str:
    """Both versions name the same fields in selectors."""
    return selector


def _is_cpu_utilization(metric: Json) -> bool:
    if metric.get("type") != "Resource" or "resource" not in metric:
        return False
    return bool(metric["resource"]["name"] == "cpu" and "averageUtilization" in metric["resource"]["target"])


def _cpu(side: str, target_type: str, percent: int) -> Json:
    value: Json = {"averageUtilization": percent}
    if target_type:
        value["type"] = target_type
    return {"type": "Resource", "resource": {"name": "cpu", side: value}}


def _source_of(metric: Json) -> str:
    name = str(metric.get("type", ""))
    return name[:1].lower() + name[1:]


def _to_v1(metric: Json) -> Json:
    source = _source_of(metric)
    found = metric.get(source) or {}
    renamed: Json = {}
    for path, name in _SOURCES.get(source, {}).items():
        outer, _, inner = path.partition(".")
        value = found.get(outer)
        if inner:
            value = value.get(inner) if isinstance(value, dict) else None
        if value is not None:
            renamed[name] = value
    return {"type": metric.get("type", ""), source: renamed}


def _to_v2(metric: Json, side: str) -> Json:
    source = _source_of(metric)
    found = metric.get(source) or {}
    renamed: Json = {}
    for path, name in _SOURCES.get(source, {}).items():
        outer, _, inner = path.partition(".")
        if name not in found or (outer in ("target", "current") and outer != side):
            continue
        if inner:
            renamed.setdefault(outer, {})[inner] = found[name]
        else:
            renamed[outer] = found[name]
    if side == "target":
        target = renamed.setdefault("target", {})
        target["type"] = _target_type(target)
    return {"type": metric.get("type", ""), source: renamed}


def _target_type(target: Json) -> str:
    if "averageUtilization" in target:
        return "Utilization"
    return "Value" if "value" in target and "averageValue" not in target else "AverageValue"


def _renamed(value: Any, case: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """JSON whose keys begin in another case: this one annotation holds Go's own names of fields."""
    if isinstance(value, dict):
        return {case(key[:1]) + key[1:]: _renamed(inner, case) for key, inner in value.items() if inner is not None}
    return [_renamed(inner, case) for inner in value] if isinstance(value, list) else value


def _parse(text: str) -> Any:  # noqa: ANN401 - JSON of any shape
    """What an annotation holds; nothing if somebody has spoilt it."""
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None
