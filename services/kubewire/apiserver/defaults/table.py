"""Which function fills which kind: the one list of all kinds with defaults, in the order of their groups.

A kind that is not listed has none. Functions change the message in place and may be applied twice. They keep to
proto presence as stock servers do: a field without a pointer in Kubernetes' own types counts as left out when it
is zero, one with a pointer only when it is absent. What they write is in stored form (see `machinery.codec.decode`):
an empty field without a pointer stays absent. Feature gates stand as in a stock v1.36.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Never, cast

from kubewire.apiserver.defaults.admission_registration import (
    default_mutating_webhooks,
    default_policy,
    default_policy_binding,
    default_validating_webhooks,
)
from kubewire.apiserver.defaults.autoscaling import default_autoscaler, default_autoscaler_v1
from kubewire.apiserver.defaults.batch import default_cron_job, default_job
from kubewire.apiserver.defaults.core import (
    default_limit_range,
    default_namespace,
    default_node,
    default_resource_quota,
    default_secret,
    default_token_request,
)
from kubewire.apiserver.defaults.devices import (
    default_resource_claim,
    default_resource_claim_template,
    default_resource_slice,
)
from kubewire.apiserver.defaults.extensions import default_api_service, default_custom_resource_definition
from kubewire.apiserver.defaults.flow_control import default_flow_schema, default_priority_level
from kubewire.apiserver.defaults.networking import default_ingress_class, default_network_policy
from kubewire.apiserver.defaults.pods import default_pod, default_pod_template
from kubewire.apiserver.defaults.rbac import default_binding
from kubewire.apiserver.defaults.scheduling import default_priority_class
from kubewire.apiserver.defaults.services import default_endpoint_slice, default_endpoints, default_service
from kubewire.apiserver.defaults.storage import (
    default_claim,
    default_csi_driver,
    default_persistent_volume,
    default_storage_class,
    default_volume_attachment,
)
from kubewire.apiserver.defaults.workloads import (
    default_daemon_set,
    default_deployment,
    default_replica_set,
    default_replication_controller,
    default_stateful_set,
)

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.resources import Resource

_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"

DEFAULTS: Mapping[tuple[str, str, str], Callable[[Never], None]] = {
    ("", "v1", "Endpoints"): default_endpoints,
    ("", "v1", "LimitRange"): default_limit_range,
    ("", "v1", "Namespace"): default_namespace,
    ("", "v1", "Node"): default_node,
    ("", "v1", "PersistentVolume"): default_persistent_volume,
    ("", "v1", "PersistentVolumeClaim"): default_claim,
    ("", "v1", "Pod"): default_pod,
    ("", "v1", "PodTemplate"): default_pod_template,
    ("", "v1", "ReplicationController"): default_replication_controller,
    ("", "v1", "ResourceQuota"): default_resource_quota,
    ("", "v1", "Secret"): default_secret,
    ("", "v1", "Service"): default_service,
    ("apps", "v1", "DaemonSet"): default_daemon_set,
    ("apps", "v1", "Deployment"): default_deployment,
    ("apps", "v1", "ReplicaSet"): default_replica_set,
    ("apps", "v1", "StatefulSet"): default_stateful_set,
    ("batch", "v1", "CronJob"): default_cron_job,
    ("batch", "v1", "Job"): default_job,
    ("discovery.k8s.io", "v1", "EndpointSlice"): default_endpoint_slice,
    (_RBAC, "v1", "ClusterRoleBinding"): default_binding,
    (_RBAC, "v1", "RoleBinding"): default_binding,
    ("networking.k8s.io", "v1", "IngressClass"): default_ingress_class,
    ("networking.k8s.io", "v1", "NetworkPolicy"): default_network_policy,
    ("storage.k8s.io", "v1", "CSIDriver"): default_csi_driver,
    ("storage.k8s.io", "v1", "StorageClass"): default_storage_class,
    ("storage.k8s.io", "v1", "VolumeAttachment"): default_volume_attachment,
    ("autoscaling", "v1", "HorizontalPodAutoscaler"): default_autoscaler_v1,
    ("autoscaling", "v2", "HorizontalPodAutoscaler"): default_autoscaler,
    (_ADMISSION, "v1", "MutatingAdmissionPolicy"): default_policy,
    (_ADMISSION, "v1", "MutatingAdmissionPolicyBinding"): default_policy_binding,
    (_ADMISSION, "v1", "MutatingWebhookConfiguration"): default_mutating_webhooks,
    (_ADMISSION, "v1", "ValidatingAdmissionPolicy"): default_policy,
    (_ADMISSION, "v1", "ValidatingAdmissionPolicyBinding"): default_policy_binding,
    (_ADMISSION, "v1", "ValidatingWebhookConfiguration"): default_validating_webhooks,
    ("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema"): default_flow_schema,
    ("flowcontrol.apiserver.k8s.io", "v1", "PriorityLevelConfiguration"): default_priority_level,
    ("scheduling.k8s.io", "v1", "PriorityClass"): default_priority_class,
    ("apiextensions.k8s.io", "v1", "CustomResourceDefinition"): default_custom_resource_definition,
    ("apiregistration.k8s.io", "v1", "APIService"): default_api_service,
    ("resource.k8s.io", "v1", "ResourceClaim"): default_resource_claim,
    ("resource.k8s.io", "v1", "ResourceClaimTemplate"): default_resource_claim_template,
    ("resource.k8s.io", "v1", "ResourceSlice"): default_resource_slice,
    ("authentication.k8s.io", "v1", "TokenRequest"): default_token_request,
}


def apply_defaults(resource: Resource, message: Message) -> None:
    """Fill in `message`, an object of `resource`, what its author left out."""
    apply_kind_defaults((resource.group, resource.version, resource.kind), message)


def apply_kind_defaults(kind: tuple[str, str, str], message: Message) -> None:
    """As `apply_defaults`, for a message of a kind (group, version, kind) that is no resource, as TokenRequest."""
    fill = DEFAULTS.get(kind)
    if fill is not None:
        cast("Callable[[Message], None]", fill)(message)
