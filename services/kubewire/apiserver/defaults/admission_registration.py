"""Webhooks and policies that take part in admission."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from kubewire.api.admissionregistration.v1.match_pb2 import MatchResources, RuleWithOperations
    from kubewire.api.admissionregistration.v1.mutating_admission_policy_binding_pb2 import (
        MutatingAdmissionPolicyBinding,
    )
    from kubewire.api.admissionregistration.v1.mutating_admission_policy_pb2 import MutatingAdmissionPolicy
    from kubewire.api.admissionregistration.v1.mutating_webhook_configuration_pb2 import (
        MutatingWebhook,
        MutatingWebhookConfiguration,
    )
    from kubewire.api.admissionregistration.v1.validating_admission_policy_binding_pb2 import (
        ValidatingAdmissionPolicyBinding,
    )
    from kubewire.api.admissionregistration.v1.validating_admission_policy_pb2 import (
        ValidatingAdmissionPolicy,
    )
    from kubewire.api.admissionregistration.v1.validating_webhook_configuration_pb2 import (
        ValidatingWebhook,
        ValidatingWebhookConfiguration,
    )

AnyPolicy: TypeAlias = "ValidatingAdmissionPolicy | MutatingAdmissionPolicy"
AnyPolicyBinding: TypeAlias = "ValidatingAdmissionPolicyBinding | MutatingAdmissionPolicyBinding"
AnyWebhook: TypeAlias = "ValidatingWebhook | MutatingWebhook"


def default_validating_webhooks(configuration: ValidatingWebhookConfiguration) -> None:
    """Fill every webhook."""
    for webhook in configuration.Webhooks:
        _default_webhook(webhook)


def default_mutating_webhooks(configuration: MutatingWebhookConfiguration) -> None:
    """Fill every webhook."""
    for webhook in configuration.Webhooks:
        _default_webhook(webhook)
        if not webhook.HasField("reinvocationPolicy"):
            webhook.reinvocationPolicy = "Never"


def _default_webhook(webhook: AnyWebhook) -> None:
    if not webhook.HasField("failurePolicy"):
        webhook.failurePolicy = "Fail"
    if not webhook.HasField("timeoutSeconds"):
        webhook.timeoutSeconds = 10
    _default_match(webhook)
    if webhook.clientConfig.HasField("service") and not webhook.clientConfig.service.HasField("port"):
        webhook.clientConfig.service.port = 443
    _default_scopes(webhook.rules)


def _default_match(match: AnyWebhook | MatchResources) -> None:
    if not match.HasField("matchPolicy"):
        match.matchPolicy = "Equivalent"
    if not match.HasField("namespaceSelector"):
        match.namespaceSelector.SetInParent()
    if not match.HasField("objectSelector"):
        match.objectSelector.SetInParent()


def _default_scopes(rules: Iterable[RuleWithOperations]) -> None:
    for rule in rules:
        if not rule.rule.HasField("scope"):
            rule.rule.scope = "*"


def default_policy(policy: AnyPolicy) -> None:
    """Fill a validating or mutating admission policy."""
    if not policy.spec.HasField("failurePolicy"):
        policy.spec.failurePolicy = "Fail"
    if policy.spec.HasField("matchConstraints"):
        _default_match_resources(policy.spec.matchConstraints)


def default_policy_binding(binding: AnyPolicyBinding) -> None:
    """Fill the binding of such a policy."""
    if binding.spec.HasField("matchResources"):
        _default_match_resources(binding.spec.matchResources)


def _default_match_resources(match: MatchResources) -> None:
    _default_match(match)
    _default_scopes(named.ruleWithOperations for named in match.resourceRules)
    _default_scopes(named.ruleWithOperations for named in match.excludeResourceRules)
