"""Cells of the core group's kinds other than pods, and of both kinds of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.table.ages import UNKNOWN, Age, since
from kubewire.apiserver.encoding.table.text import (
    NONE,
    Cell,
    Cells,
    age_of,
    container_texts,
    joined,
    label_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubewire.api.core.v1.component_status_pb2 import ComponentStatus
    from kubewire.api.core.v1.config_map_pb2 import ConfigMap
    from kubewire.api.core.v1.event_pb2 import Event as CoreEvent
    from kubewire.api.core.v1.namespace_pb2 import Namespace
    from kubewire.api.core.v1.node_pb2 import Node
    from kubewire.api.core.v1.pod_template_pb2 import PodTemplate
    from kubewire.api.core.v1.replication_controller_pb2 import ReplicationController
    from kubewire.api.core.v1.resource_quota_pb2 import ResourceQuota
    from kubewire.api.core.v1.secret_pb2 import Secret
    from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
    from kubewire.api.events.v1.event_pb2 import Event
    from kubewire.api.resource.quantity_pb2 import Quantity

_ROLE_PREFIX: Final = "node-role.kubernetes.io/"
_ROLE_LABEL: Final = "kubernetes.io/role"


def namespace(obj: Namespace) -> Cells:
    """Cells of a namespace."""
    return [obj.metadata.name, obj.status.phase, age_of(obj.metadata)]


def secret(obj: Secret) -> Cells:
    """Cells of a secret: how many values it has, none of them."""
    return [obj.metadata.name, obj.type, len(obj.data), age_of(obj.metadata)]


def config_map(obj: ConfigMap) -> Cells:
    """Cells of a config map."""
    return [obj.metadata.name, len(obj.data) + len(obj.binaryData), age_of(obj.metadata)]


def service_account(obj: ServiceAccount) -> Cells:
    """Cells of a service account."""
    return [obj.metadata.name, age_of(obj.metadata)]


def node(obj: Node) -> Cells:
    """Cells of a node."""
    info = obj.status.nodeInfo
    return [
        obj.metadata.name,
        _node_status(obj),
        joined(sorted(_node_roles(obj.metadata.labels))),
        age_of(obj.metadata),
        info.kubeletVersion,
        _node_address(obj, "InternalIP"),
        _node_address(obj, "ExternalIP"),
        info.osImage or UNKNOWN,
        info.kernelVersion or UNKNOWN,
        info.containerRuntimeVersion or UNKNOWN,
    ]


def _node_status(obj: Node) -> str:
    ready = [condition.status for condition in obj.status.conditions if condition.type == "Ready"]
    words = ["Ready" if status == "True" else "NotReady" for status in ready[-1:]] or ["Unknown"]
    if obj.spec.unschedulable:
        words.append("SchedulingDisabled")
    return ",".join(words)


def _node_roles(labels: Mapping[str, str]) -> set[str]:
    roles = {key.removeprefix(_ROLE_PREFIX) for key in labels if key.startswith(_ROLE_PREFIX)}
    roles.add(labels.get(_ROLE_LABEL, ""))
    return roles - {""}


def _node_address(obj: Node, kind: str) -> str:
    return next((address.address for address in obj.status.addresses if address.type == kind), NONE)


def replication_controller(obj: ReplicationController) -> Cells:
    """Cells of a replication controller."""
    return [
        obj.metadata.name,
        obj.spec.replicas,
        obj.status.replicas,
        obj.status.readyReplicas,
        age_of(obj.metadata),
        *container_texts(obj.spec.template.spec.containers),
        label_text(obj.spec.selector),
    ]


def pod_template(obj: PodTemplate) -> Cells:
    """Cells of a pod template."""
    template = obj.template
    return [obj.metadata.name, *container_texts(template.spec.containers), label_text(template.metadata.labels)]


def resource_quota(obj: ResourceQuota) -> Cells:
    """Cells of a quota: `used/hard` of each resource, those of limits apart."""
    used, hard = obj.status.used, obj.status.hard
    return [
        obj.metadata.name,
        ", ".join(_quota(name, used, hard) for name in sorted(hard) if not name.startswith("limits")),
        ", ".join(_quota(name, used, hard) for name in sorted(hard) if name.startswith("limits")),
        age_of(obj.metadata),
    ]


def _quota(name: str, used: Mapping[str, Quantity], hard: Mapping[str, Quantity]) -> str:
    already = used[name].string if name in used else "0"
    return f"{name}: {already}/{hard[name].string}"


def component_status(obj: ComponentStatus) -> Cells:
    """Cells of a component's status."""
    status, message, error = "Unknown", "", ""
    for condition in obj.conditions:
        if condition.type == "Healthy":
            status = {"True": "Healthy", "False": "Unhealthy"}.get(condition.status, "Unknown")
            message, error = condition.message, condition.error
            break
    return [obj.metadata.name, status, message, error]


def core_event(obj: CoreEvent) -> Cells:
    """Cells of an event of the core group."""
    first = since(obj.firstTimestamp if obj.HasField("firstTimestamp") else None)
    if first == UNKNOWN:
        first = since(obj.eventTime if obj.HasField("eventTime") else None)
    last = since(obj.lastTimestamp if obj.HasField("lastTimestamp") else None)
    last, count = (first if last == UNKNOWN else last), obj.count or 1
    if obj.HasField("series"):
        last, count = since(obj.series.lastObservedTime), obj.series.count
    target = obj.involvedObject
    source = _source(obj.source.component, obj.source.host, obj.reportingComponent, obj.reportingInstance)
    return [
        *_event_opening(last, obj.type, obj.reason, target.kind, target.name),
        target.fieldPath,
        source,
        obj.message.strip(),
        first,
        count,
        obj.metadata.name,
    ]


def event(obj: Event) -> Cells:
    """Cells of an event of events.k8s.io, which are those of the core group's."""
    first = since(obj.deprecatedFirstTimestamp if obj.HasField("deprecatedFirstTimestamp") else None)
    if first == UNKNOWN:
        first = since(obj.eventTime if obj.HasField("eventTime") else None)
    last = since(obj.deprecatedLastTimestamp if obj.HasField("deprecatedLastTimestamp") else None)
    last, count = (first if last == UNKNOWN else last), obj.deprecatedCount or 1
    if obj.HasField("series"):
        last, count = since(obj.series.lastObservedTime), obj.series.count
    target, source = obj.regarding, obj.deprecatedSource
    return [
        *_event_opening(last, obj.type, obj.reason, target.kind, target.name),
        target.fieldPath,
        _source(source.component, source.host, obj.reportingController, obj.reportingInstance),
        obj.note.strip(),
        first,
        count,
        obj.metadata.name,
    ]


def _event_opening(last: Age | str, kind: str, reason: str, target_kind: str, target_name: str) -> list[Cell]:
    target = target_kind.lower()
    return [last, kind, reason, f"{target}/{target_name}" if target_name else target]


def _source(component: str, host: str, controller: str, instance: str) -> str:
    """Who reported: the older fields if they are set."""
    who, where = (component, host) if component else (controller, instance)
    return f"{who}, {where}" if where else who
