"""Which strategy writes which kind: the one list, in the order of their groups.

A kind that is not listed has neither status nor generation, and is as lenient as most kinds are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, cast

from kubewire.apiserver.strategy.base import KindStrategy
from kubewire.apiserver.strategy.certificates import CertificateSigningRequestStrategy
from kubewire.apiserver.strategy.core import (
    NamespaceStrategy,
    PersistentVolumeClaimStrategy,
    PersistentVolumeStrategy,
    SecretStrategy,
    ServiceAccountStrategy,
)
from kubewire.apiserver.strategy.extensions import (
    APIServiceStrategy,
    CSIDriverStrategy,
    CustomResourceDefinitionStrategy,
    ResourceSliceStrategy,
)
from kubewire.apiserver.strategy.pods import PodStrategy
from kubewire.apiserver.strategy.services import ServiceStrategy
from kubewire.apiserver.strategy.workloads import DaemonSetStrategy, DeploymentStrategy, JobStrategy
from kubewire.apiserver.validation.table import rules_for

if TYPE_CHECKING:
    from kubewire.apiserver.strategy.contracts import Strategy
    from kubewire.machinery.resources import Resource

MakeStrategy: TypeAlias = Callable[..., object]
"""Makes a strategy from its `rules`; each kind's class is generic in another message."""

_counted = partial(KindStrategy, counted=("spec",))
_workload = partial(KindStrategy, counted=("spec",), has_status=True)
_upserted = partial(KindStrategy, allow_create_on_update=True)
_strict = partial(KindStrategy, allow_unconditional_update=False)

_ADMISSION = "admissionregistration.k8s.io"
_FLOW_CONTROL = "flowcontrol.apiserver.k8s.io"
_NETWORKING = "networking.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_STORAGE = "storage.k8s.io"

STRATEGIES: Mapping[tuple[str, str], MakeStrategy] = {
    ("", "Endpoints"): _upserted,
    ("", "Event"): _upserted,
    ("", "LimitRange"): _upserted,
    ("", "Namespace"): NamespaceStrategy,
    ("", "Node"): partial(KindStrategy, has_status=True, keeps_status_on_create=True),
    ("", "PersistentVolume"): PersistentVolumeStrategy,
    ("", "PersistentVolumeClaim"): PersistentVolumeClaimStrategy,
    ("", "Pod"): PodStrategy,
    ("", "PodTemplate"): partial(KindStrategy, counted=("template",)),
    ("", "ReplicationController"): partial(_workload, orphans_dependents_by_default=True),
    ("", "ResourceQuota"): partial(KindStrategy, has_status=True),
    ("", "Secret"): SecretStrategy,
    ("", "Service"): ServiceStrategy,
    ("", "ServiceAccount"): ServiceAccountStrategy,
    ("apps", "DaemonSet"): DaemonSetStrategy,
    ("apps", "Deployment"): DeploymentStrategy,
    ("apps", "ReplicaSet"): _workload,
    ("apps", "StatefulSet"): _workload,
    ("batch", "CronJob"): _workload,
    ("batch", "Job"): JobStrategy,
    ("coordination.k8s.io", "Lease"): partial(_upserted, allow_unconditional_update=False),
    ("discovery.k8s.io", "EndpointSlice"): partial(KindStrategy, counted=("addressType", "endpoints", "ports")),
    ("events.k8s.io", "Event"): _upserted,
    (_RBAC, "ClusterRole"): _upserted,
    (_RBAC, "ClusterRoleBinding"): _upserted,
    (_RBAC, "Role"): _upserted,
    (_RBAC, "RoleBinding"): _upserted,
    (_NETWORKING, "Ingress"): _workload,
    (_NETWORKING, "IngressClass"): _counted,
    (_NETWORKING, "NetworkPolicy"): _counted,
    (_NETWORKING, "ServiceCIDR"): partial(KindStrategy, has_status=True),
    ("policy", "PodDisruptionBudget"): partial(_workload, allow_unconditional_update=False),
    ("autoscaling", "HorizontalPodAutoscaler"): partial(KindStrategy, has_status=True),
    (_STORAGE, "CSIDriver"): CSIDriverStrategy,
    (_STORAGE, "CSINode"): _strict,
    (_STORAGE, "CSIStorageCapacity"): _strict,
    (_STORAGE, "VolumeAttachment"): partial(_strict, has_status=True, freezes_metadata=True),
    (_ADMISSION, "MutatingAdmissionPolicy"): partial(_strict, counted=("spec",)),
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): partial(_strict, counted=("spec",)),
    (_ADMISSION, "MutatingWebhookConfiguration"): partial(_strict, counted=("Webhooks",)),
    (_ADMISSION, "ValidatingAdmissionPolicy"): partial(
        _strict, counted=("spec",), has_status=True, freezes_metadata=True
    ),
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): partial(_strict, counted=("spec",)),
    (_ADMISSION, "ValidatingWebhookConfiguration"): partial(_strict, counted=("Webhooks",)),
    (_FLOW_CONTROL, "FlowSchema"): _workload,
    (_FLOW_CONTROL, "PriorityLevelConfiguration"): _workload,
    ("scheduling.k8s.io", "PriorityClass"): partial(KindStrategy, counted=("value",)),
    ("node.k8s.io", "RuntimeClass"): _strict,
    ("certificates.k8s.io", "CertificateSigningRequest"): CertificateSigningRequestStrategy,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): CustomResourceDefinitionStrategy,
    ("apiregistration.k8s.io", "APIService"): APIServiceStrategy,
    ("resource.k8s.io", "DeviceClass"): _counted,
    ("resource.k8s.io", "ResourceClaim"): partial(KindStrategy, has_status=True, freezes_metadata=True),
    ("resource.k8s.io", "ResourceSlice"): ResourceSliceStrategy,
}


def strategy_for(resource: Resource) -> Strategy:
    """The strategy of a kind. Make it once per resource and keep it."""
    make = STRATEGIES.get((resource.group, resource.kind), KindStrategy)
    return cast("Strategy", make(rules=rules_for(resource)))
