"""Cells of what governs a cluster: bindings of roles, certificates, leases, admission, priorities, API services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubewire.apiserver.encoding.table.ages import human_duration
from kubewire.apiserver.encoding.table.text import NONE, UNSET, Cells, age_of

if TYPE_CHECKING:
    from kubewire.api.admissionregistration.v1.match_pb2 import ParamKind, ParamRef
    from kubewire.api.admissionregistration.v1.mutating_admission_policy_binding_pb2 import (
        MutatingAdmissionPolicyBinding,
    )
    from kubewire.api.admissionregistration.v1.mutating_admission_policy_pb2 import MutatingAdmissionPolicy
    from kubewire.api.admissionregistration.v1.mutating_webhook_configuration_pb2 import MutatingWebhookConfiguration
    from kubewire.api.admissionregistration.v1.validating_admission_policy_binding_pb2 import (
        ValidatingAdmissionPolicyBinding,
    )
    from kubewire.api.admissionregistration.v1.validating_admission_policy_pb2 import ValidatingAdmissionPolicy
    from kubewire.api.admissionregistration.v1.validating_webhook_configuration_pb2 import (
        ValidatingWebhookConfiguration,
    )
    from kubewire.api.apiregistration.v1.api_service_pb2 import APIService
    from kubewire.api.certificates.v1.certificate_signing_request_pb2 import CertificateSigningRequest
    from kubewire.api.coordination.v1.lease_pb2 import Lease
    from kubewire.api.flowcontrol.v1.flow_schema_pb2 import FlowSchema
    from kubewire.api.flowcontrol.v1.priority_level_configuration_pb2 import PriorityLevelConfiguration
    from kubewire.api.node.v1.runtime_class_pb2 import RuntimeClass
    from kubewire.api.rbac.v1.cluster_role_binding_pb2 import ClusterRoleBinding
    from kubewire.api.rbac.v1.role_binding_pb2 import RoleBinding
    from kubewire.api.rbac.v1.subject_pb2 import Subject
    from kubewire.api.scheduling.v1.priority_class_pb2 import PriorityClass


def role_binding(obj: RoleBinding | ClusterRoleBinding) -> Cells:
    """Cells of a binding: the role, and whom it is given to."""
    return [
        obj.metadata.name,
        f"{obj.roleRef.kind}/{obj.roleRef.name}",
        age_of(obj.metadata),
        _subjects(obj.subjects, "User"),
        _subjects(obj.subjects, "Group"),
        _subjects(obj.subjects, "ServiceAccount"),
    ]


def _subjects(subjects: Iterable[Subject], kind: str) -> str:
    return ", ".join(
        f"{subject.namespace}/{subject.name}" if subject.kind == "ServiceAccount" else subject.name
        for subject in subjects
        if subject.kind == kind
    )


def certificate_signing_request(obj: CertificateSigningRequest) -> Cells:
    """Cells of a request for a certificate."""
    spec = obj.spec
    duration = human_duration(spec.expirationSeconds) if spec.HasField("expirationSeconds") else NONE
    return [
        obj.metadata.name,
        age_of(obj.metadata),
        spec.signerName or NONE,
        spec.username,
        duration,
        _request_state(obj),
    ]


def _request_state(obj: CertificateSigningRequest) -> str:
    given = {condition.type for condition in obj.status.conditions}
    words: list[str] = [type_ for type_ in ("Approved", "Denied") if type_ in given] or ["Pending"]
    if "Denied" in given:
        words = ["Denied"]
    if "Failed" in given:
        words.append("Failed")
    if obj.status.certificate:
        words.append("Issued")
    return ",".join(words)


def lease(obj: Lease) -> Cells:
    """Cells of a lease."""
    return [obj.metadata.name, obj.spec.holderIdentity, age_of(obj.metadata)]


def priority_class(obj: PriorityClass) -> Cells:
    """Cells of a priority class."""
    return [obj.metadata.name, obj.value, obj.globalDefault, age_of(obj.metadata), obj.preemptionPolicy]


def runtime_class(obj: RuntimeClass) -> Cells:
    """Cells of a runtime class."""
    return [obj.metadata.name, obj.handler, age_of(obj.metadata)]


def mutating_webhooks(obj: MutatingWebhookConfiguration) -> Cells:
    """Cells of webhooks that change objects."""
    return [obj.metadata.name, len(obj.Webhooks), age_of(obj.metadata)]


def validating_webhooks(obj: ValidatingWebhookConfiguration) -> Cells:
    """Cells of webhooks that judge objects."""
    return [obj.metadata.name, len(obj.Webhooks), age_of(obj.metadata)]


def validating_policy(obj: ValidatingAdmissionPolicy) -> Cells:
    """Cells of a policy that judges objects."""
    kind = _param_kind(obj.spec.paramKind) if obj.spec.HasField("paramKind") else UNSET
    return [obj.metadata.name, len(obj.spec.validations), kind, age_of(obj.metadata)]


def mutating_policy(obj: MutatingAdmissionPolicy) -> Cells:
    """Cells of a policy that changes objects."""
    kind = _param_kind(obj.spec.paramKind) if obj.spec.HasField("paramKind") else UNSET
    return [obj.metadata.name, len(obj.spec.mutations), kind, age_of(obj.metadata)]


def _param_kind(kind: ParamKind) -> str:
    return f"{kind.apiVersion}/{kind.kind}" if kind.apiVersion else kind.kind


def policy_binding(obj: ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding) -> Cells:
    """Cells of a binding of a policy to its parameters."""
    reference = _param_ref(obj.spec.paramRef) if obj.spec.HasField("paramRef") else UNSET
    return [obj.metadata.name, obj.spec.policyName, reference, age_of(obj.metadata)]


def _param_ref(reference: ParamRef) -> str:
    if not reference.name:
        return "*"
    return f"{reference.namespace}/{reference.name}" if reference.namespace else f"*/{reference.name}"


def flow_schema(obj: FlowSchema) -> Cells:
    """Cells of a flow schema."""
    spec = obj.spec
    dangling = [condition.status for condition in obj.status.conditions if condition.type == "Dangling"]
    return [
        obj.metadata.name,
        spec.priorityLevelConfiguration.name or NONE,
        spec.matchingPrecedence,
        spec.distinguisherMethod.type or NONE,
        age_of(obj.metadata),
        dangling[0] if dangling else "?",
    ]


def priority_level(obj: PriorityLevelConfiguration) -> Cells:
    """Cells of a priority level."""
    spec = obj.spec
    shares: str | int = NONE
    queues: list[str | int] = [NONE, NONE, NONE]
    if spec.HasField("limited"):
        shares = spec.limited.nominalConcurrencyShares
        if spec.limited.limitResponse.HasField("queuing"):
            queuing = spec.limited.limitResponse.queuing
            queues = [queuing.queues, queuing.handSize, queuing.queueLengthLimit]
    elif spec.HasField("exempt"):
        shares = spec.exempt.nominalConcurrencyShares
    return [obj.metadata.name, spec.type, shares, *queues, age_of(obj.metadata)]


def api_service(obj: APIService) -> Cells:
    """Cells of an API service: who serves it, and whether that works."""
    service = "Local"
    if obj.spec.HasField("service"):
        service = f"{obj.spec.service.namespace}/{obj.spec.service.name}"
    available = next((item for item in obj.status.conditions if item.type == "Available"), None)
    state = available.status if available is not None else "Unknown"
    if available is not None and state != "True" and available.reason:
        state = f"{state} ({available.reason})"
    return [obj.metadata.name, service, state, age_of(obj.metadata)]
