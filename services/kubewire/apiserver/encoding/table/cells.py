"""Which function fills the cells of which kind: one ordered table, by group and kind, with the versions it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from kubewire.apiserver.encoding.table import (
    autoscalers,
    cluster_kinds,
    core_kinds,
    networking,
    pods,
    storage_kinds,
    workloads,
)
from kubewire.apiserver.encoding.table.text import Cells
from kubewire.machinery.gvk import GroupVersionKind

if TYPE_CHECKING:
    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta

MakeCells = Callable[[Any], Cells]  # Any: each function takes the message of its own kind

_ADMISSION: Final = "admissionregistration.k8s.io"
_FLOW: Final = "flowcontrol.apiserver.k8s.io"
_NETWORKING: Final = "networking.k8s.io"
_RBAC: Final = "rbac.authorization.k8s.io"
_STORAGE: Final = "storage.k8s.io"
_RESOURCE: Final = "resource.k8s.io"

CELLS: Final[Mapping[GroupVersionKind, MakeCells]] = {
    GroupVersionKind(group, version, kind): make
    for group, version, kind, make in (
        ("", "v1", "Pod", pods.pod),
        ("", "v1", "Namespace", core_kinds.namespace),
        ("", "v1", "Node", core_kinds.node),
        ("", "v1", "Secret", core_kinds.secret),
        ("", "v1", "ConfigMap", core_kinds.config_map),
        ("", "v1", "ServiceAccount", core_kinds.service_account),
        ("", "v1", "Service", networking.service),
        ("", "v1", "Endpoints", networking.endpoints),
        ("", "v1", "Event", core_kinds.core_event),
        ("", "v1", "ReplicationController", core_kinds.replication_controller),
        ("", "v1", "PodTemplate", core_kinds.pod_template),
        ("", "v1", "ResourceQuota", core_kinds.resource_quota),
        ("", "v1", "ComponentStatus", core_kinds.component_status),
        ("", "v1", "PersistentVolume", storage_kinds.persistent_volume),
        ("", "v1", "PersistentVolumeClaim", storage_kinds.persistent_volume_claim),
        ("events.k8s.io", "v1", "Event", core_kinds.event),
        ("apps", "v1", "Deployment", workloads.deployment),
        ("apps", "v1", "ReplicaSet", workloads.replica_set),
        ("apps", "v1", "DaemonSet", workloads.daemon_set),
        ("apps", "v1", "StatefulSet", workloads.stateful_set),
        ("apps", "v1", "ControllerRevision", workloads.controller_revision),
        ("batch", "v1", "Job", workloads.job),
        ("batch", "v1", "CronJob", workloads.cron_job),
        ("policy", "v1", "PodDisruptionBudget", workloads.pod_disruption_budget),
        ("autoscaling", "v1", "Scale", workloads.scale),
        ("autoscaling", "v1", "HorizontalPodAutoscaler", autoscalers.autoscaler_v1),
        ("autoscaling", "v2", "HorizontalPodAutoscaler", autoscalers.autoscaler),
        ("coordination.k8s.io", "v1", "Lease", cluster_kinds.lease),
        ("discovery.k8s.io", "v1", "EndpointSlice", networking.endpoint_slice),
        (_NETWORKING, "v1", "Ingress", networking.ingress),
        (_NETWORKING, "v1", "IngressClass", networking.ingress_class),
        (_NETWORKING, "v1", "NetworkPolicy", networking.network_policy),
        (_NETWORKING, "v1", "ServiceCIDR", networking.service_cidr),
        (_NETWORKING, "v1", "IPAddress", networking.ip_address),
        (_RBAC, "v1", "RoleBinding", cluster_kinds.role_binding),
        (_RBAC, "v1", "ClusterRoleBinding", cluster_kinds.role_binding),
        ("certificates.k8s.io", "v1", "CertificateSigningRequest", cluster_kinds.certificate_signing_request),
        ("scheduling.k8s.io", "v1", "PriorityClass", cluster_kinds.priority_class),
        ("node.k8s.io", "v1", "RuntimeClass", cluster_kinds.runtime_class),
        (_STORAGE, "v1", "StorageClass", storage_kinds.storage_class),
        (_STORAGE, "v1", "VolumeAttributesClass", storage_kinds.volume_attributes_class),
        (_STORAGE, "v1", "VolumeAttachment", storage_kinds.volume_attachment),
        (_STORAGE, "v1", "CSINode", storage_kinds.csi_node),
        (_STORAGE, "v1", "CSIDriver", storage_kinds.csi_driver),
        (_RESOURCE, "v1", "DeviceClass", storage_kinds.device_class),
        (_RESOURCE, "v1", "ResourceClaim", storage_kinds.resource_claim),
        (_RESOURCE, "v1", "ResourceClaimTemplate", storage_kinds.resource_claim_template),
        (_RESOURCE, "v1", "ResourceSlice", storage_kinds.resource_slice),
        (_ADMISSION, "v1", "MutatingWebhookConfiguration", cluster_kinds.mutating_webhooks),
        (_ADMISSION, "v1", "ValidatingWebhookConfiguration", cluster_kinds.validating_webhooks),
        (_ADMISSION, "v1", "ValidatingAdmissionPolicy", cluster_kinds.validating_policy),
        (_ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", cluster_kinds.policy_binding),
        (_ADMISSION, "v1", "MutatingAdmissionPolicy", cluster_kinds.mutating_policy),
        (_ADMISSION, "v1", "MutatingAdmissionPolicyBinding", cluster_kinds.policy_binding),
        (_FLOW, "v1", "FlowSchema", cluster_kinds.flow_schema),
        (_FLOW, "v1", "PriorityLevelConfiguration", cluster_kinds.priority_level),
        ("apiregistration.k8s.io", "v1", "APIService", cluster_kinds.api_service),
    )
}


def fallback_cells(metadata: ObjectMeta) -> Cells:
    """Cells of a kind without columns of its own: its name, and when it was created."""
    created = datetime.fromtimestamp(metadata.creationTimestamp.seconds, UTC)
    return [metadata.name, created.strftime("%Y-%m-%dT%H:%M:%SZ") if metadata.HasField("creationTimestamp") else None]
