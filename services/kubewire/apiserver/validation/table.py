"""Which rules hold for which kind: the one list of all kinds that have rules of their own.

A kind that is not listed is checked for its metadata alone, with a subdomain as its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from kubewire.apiserver.validation import (
    api_services,
    autoscaling,
    certificates,
    claims,
    configuration,
    custom_resources,
    endpoints,
    ingresses,
    jobs,
    leases,
    namespaces,
    network_policies,
    nodes,
    persistent_volumes,
    pod_update,
    pods,
    quotas,
    rbac,
    scheduling,
    services,
    stateful_sets,
    templates,
    webhooks,
    workloads,
)
from kubewire.apiserver.validation.rules import Rules
from kubewire.machinery import names
from kubewire.machinery.resources import builtin

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.machinery.resources import Resource

_ADMISSION = "admissionregistration.k8s.io"
_RBAC = "rbac.authorization.k8s.io"
_NETWORKING = "networking.k8s.io"
_STORAGE = "storage.k8s.io"

RULES: Mapping[tuple[str, str], object] = {
    ("", "ConfigMap"): Rules(create=configuration.validate_config_map, update=configuration.validate_config_map_update),
    ("", "Endpoints"): Rules(create=endpoints.validate_endpoints, update=endpoints.validate_endpoints_update),
    ("", "Event"): Rules(name=names.path_segment, create=leases.validate_event, update=leases.validate_event_update),
    ("", "LimitRange"): Rules(create=quotas.validate_limit_range, update=quotas.validate_limit_range_update),
    ("", "Namespace"): Rules(
        name=names.dns1123_label,
        create=namespaces.validate_namespace,
        status_update=namespaces.validate_namespace_status,
    ),
    ("", "Node"): Rules(
        create=nodes.validate_node,
        update=nodes.validate_node_update,
        status_update=nodes.validate_node_status,
    ),
    ("", "PersistentVolume"): Rules(
        create=persistent_volumes.validate_persistent_volume,
        update=persistent_volumes.validate_persistent_volume_update,
    ),
    ("", "PersistentVolumeClaim"): Rules(create=claims.validate_claim, update=claims.validate_claim_update),
    ("", "Pod"): Rules(
        create=pods.validate_pod,
        update=pod_update.validate_pod_update,
        status_update=pods.validate_pod_status,
        warnings=pods.pod_warnings,
    ),
    ("", "PodTemplate"): Rules(create=templates.validate_pod_template, update=templates.validate_pod_template_update),
    ("", "ReplicationController"): Rules(
        create=workloads.validate_replication_controller,
        update=workloads.validate_replication_controller_update,
        status_update=workloads.validate_replicas_status,
    ),
    ("", "ResourceQuota"): Rules(
        create=quotas.validate_resource_quota,
        update=quotas.validate_resource_quota_update,
        status_update=quotas.validate_resource_quota_status,
    ),
    ("", "Secret"): Rules(create=configuration.validate_secret, update=configuration.validate_secret_update),
    ("", "Service"): Rules(
        name=names.dns1035_label,
        create=services.validate_service,
        update=services.validate_service_update,
        status_update=services.validate_service_status,
    ),
    ("apps", "ControllerRevision"): Rules(
        create=workloads.validate_controller_revision, update=workloads.validate_controller_revision_update
    ),
    ("apps", "DaemonSet"): Rules(
        create=workloads.validate_daemon_set,
        update=workloads.validate_daemon_set_update,
        status_update=workloads.validate_daemon_set_status,
    ),
    ("apps", "Deployment"): Rules(
        create=workloads.validate_deployment,
        update=workloads.validate_deployment_update,
        status_update=workloads.validate_deployment_status,
    ),
    ("apps", "ReplicaSet"): Rules(
        create=workloads.validate_replica_set,
        update=workloads.validate_replica_set_update,
        status_update=workloads.validate_replicas_status,
    ),
    ("apps", "StatefulSet"): Rules(
        name=names.dns1123_label,
        create=stateful_sets.validate_stateful_set,
        update=stateful_sets.validate_stateful_set_update,
        status_update=stateful_sets.validate_stateful_set_status,
    ),
    ("batch", "CronJob"): Rules(create=jobs.validate_cron_job, update=jobs.validate_cron_job_update),
    ("batch", "Job"): Rules(
        create=jobs.validate_job, update=jobs.validate_job_update, status_update=jobs.validate_job_status
    ),
    ("coordination.k8s.io", "Lease"): Rules(create=leases.validate_lease, update=leases.validate_lease_update),
    ("discovery.k8s.io", "EndpointSlice"): Rules(
        create=endpoints.validate_endpoint_slice, update=endpoints.validate_endpoint_slice_update
    ),
    ("events.k8s.io", "Event"): Rules(name=names.path_segment),
    (_RBAC, "ClusterRole"): Rules(
        name=names.path_segment, create=rbac.validate_cluster_role, update=rbac.validate_cluster_role_update
    ),
    (_RBAC, "ClusterRoleBinding"): Rules(
        name=names.path_segment,
        create=rbac.validate_cluster_role_binding,
        update=rbac.validate_cluster_role_binding_update,
    ),
    (_RBAC, "Role"): Rules(name=names.path_segment, create=rbac.validate_role, update=rbac.validate_role_update),
    (_RBAC, "RoleBinding"): Rules(
        name=names.path_segment,
        create=rbac.validate_role_binding,
        update=rbac.validate_role_binding_update,
    ),
    (_NETWORKING, "Ingress"): Rules(create=ingresses.validate_ingress, update=ingresses.validate_ingress_update),
    (_NETWORKING, "IngressClass"): Rules(
        create=ingresses.validate_ingress_class, update=ingresses.validate_ingress_class_update
    ),
    (_NETWORKING, "NetworkPolicy"): Rules(
        create=network_policies.validate_network_policy, update=network_policies.validate_network_policy_update
    ),
    ("policy", "PodDisruptionBudget"): Rules(
        name=names.path_segment,
        create=scheduling.validate_disruption_budget,
        update=scheduling.validate_disruption_budget_update,
        status_update=scheduling.validate_disruption_budget_status,
    ),
    ("autoscaling", "HorizontalPodAutoscaler"): Rules(
        create=autoscaling.validate_autoscaler,
        update=autoscaling.validate_autoscaler_update,
        status_update=autoscaling.validate_autoscaler_status,
    ),
    (_STORAGE, "CSIDriver"): Rules(create=persistent_volumes.validate_csi_driver),
    (_STORAGE, "StorageClass"): Rules(
        create=persistent_volumes.validate_storage_class,
        update=persistent_volumes.validate_storage_class_update,
    ),
    (_ADMISSION, "MutatingWebhookConfiguration"): Rules(
        create=webhooks.validate_webhooks, update=webhooks.validate_webhooks_update
    ),
    (_ADMISSION, "ValidatingWebhookConfiguration"): Rules(
        create=webhooks.validate_webhooks, update=webhooks.validate_webhooks_update
    ),
    ("scheduling.k8s.io", "PriorityClass"): Rules(
        create=scheduling.validate_priority_class, update=scheduling.validate_priority_class_update
    ),
    ("node.k8s.io", "RuntimeClass"): Rules(
        create=scheduling.validate_runtime_class, update=scheduling.validate_runtime_class_update
    ),
    ("certificates.k8s.io", "CertificateSigningRequest"): Rules(
        name=names.path_segment,
        create=certificates.validate_signing_request,
        update=certificates.validate_signing_request_update,
        status_update=certificates.validate_signing_request_update,
    ),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Rules(
        create=custom_resources.validate_definition, update=custom_resources.validate_definition_update
    ),
    ("apiregistration.k8s.io", "APIService"): Rules(
        name=names.path_segment,
        create=api_services.validate_api_service,
        update=api_services.validate_api_service_update,
    ),
}
"""Rules of kinds, by group and kind. Rules of one kind say nothing of another's messages, hence the type."""


def rules_for(resource: Resource) -> Rules[Message]:
    """The rules of a kind; those about metadata alone if it has no others."""
    found = cast("Rules[Message]", RULES.get((resource.group, resource.kind), Rules()))
    is_builtin = builtin().by_kind(resource.group, resource.version, resource.kind) is not None
    return replace(found, namespaced=resource.namespaced, builtin=is_builtin)
