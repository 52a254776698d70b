"""Webhooks of admission: names, where they are called, and what they are called for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias, cast

from kubewire.apiserver.validation.checks import (
    Problems,
    check_enum,
    check_name,
    check_port,
    check_selector,
    duplicates,
)
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, duplicate, invalid, not_supported, required
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.admissionregistration.v1.match_pb2 import RuleWithOperations
    from kubewire.api.admissionregistration.v1.mutating_webhook_configuration_pb2 import (
        MutatingWebhook,
        MutatingWebhookConfiguration,
    )
    from kubewire.api.admissionregistration.v1.validating_webhook_configuration_pb2 import (
        ValidatingWebhook,
        ValidatingWebhookConfiguration,
    )

    AnyWebhook: TypeAlias = ValidatingWebhook | MutatingWebhook
    AnyConfiguration: TypeAlias = ValidatingWebhookConfiguration | MutatingWebhookConfiguration

_WEBHOOKS = ROOT.child("webhooks")
_REVIEWS = ("v1", "v1beta1")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_MIN_SEGMENTS = 3
_MAX_SECONDS = 30


def validate_webhooks(configuration: AnyConfiguration) -> list[FieldError]:
    """All webhooks of a configuration."""
    problems: Problems = []
    webhooks = cast("Sequence[AnyWebhook]", configuration.Webhooks)
    listed = [webhook.name for webhook in webhooks]
    for position, webhook in enumerate(webhooks):
        _check_webhook(webhook, _WEBHOOKS.index(position), problems)
    problems += [
        duplicate(_WEBHOOKS.index(position).child("name"), listed[position]) for position in duplicates(listed)
    ]
    return problems


def validate_webhooks_update(new: AnyConfiguration, _old: AnyConfiguration) -> list[FieldError]:
    """As on creation."""
    return validate_webhooks(new)


def _check_webhook(webhook: AnyWebhook, path: Path, problems: Problems) -> None:
    _check_qualified(webhook.name, path.child("name"), problems)
    for position, rule in enumerate(webhook.rules):
        _check_rule(rule, path.child("rules").index(position), problems)
    if webhook.HasField("failurePolicy"):
        check_enum(webhook.failurePolicy, ("Fail", "Ignore"), path.child("failurePolicy"), problems)
    if webhook.HasField("matchPolicy"):
        check_enum(webhook.matchPolicy, ("Equivalent", "Exact"), path.child("matchPolicy"), problems)
    check_enum(webhook.sideEffects, ("None", "NoneOnDryRun"), path.child("sideEffects"), problems)
    if webhook.HasField("timeoutSeconds") and not 1 <= webhook.timeoutSeconds <= _MAX_SECONDS:
        detail = f"the timeout value must be between 1 and {_MAX_SECONDS} seconds"
        problems.append(invalid(path.child("timeoutSeconds"), webhook.timeoutSeconds, detail))
    check_selector(webhook.namespaceSelector, path.child("namespaceSelector"), problems)
    check_selector(webhook.objectSelector, path.child("objectSelector"), problems)
    _check_client(webhook, path.child("clientConfig"), problems)
    _check_reviews(webhook.admissionReviewVersions, path.child("admissionReviewVersions"), problems)


def _check_qualified(name: str, path: Path, problems: Problems) -> None:
    if not name:
        problems.append(required(path))
        return
    check_name(names.dns1123_subdomain, name, path, problems)
    if name.count(".") + 1 < _MIN_SEGMENTS:
        detail = "should be a domain with at least three segments separated by dots"
        problems.append(invalid(path, name, detail))


def _check_client(webhook: AnyWebhook, path: Path, problems: Problems) -> None:
    client = webhook.clientConfig
    if client.HasField("url") == client.HasField("service"):
        problems.append(required(path, "exactly one of url or service is required"))
    elif client.HasField("url"):
        if not client.url.startswith("https://"):
            detail = "'https' is the only allowed URL scheme; desired format: https://host[/path]"
            problems.append(invalid(path.child("url"), client.url, detail))
    else:
        service = client.service
        for member, text in (("name", service.name), ("namespace", service.namespace)):
            if not text:
                problems.append(required(path.child("service", member)))
        check_port(service.port, path.child("service", "port"), problems)


def _check_reviews(versions: Sequence[str], path: Path, problems: Problems) -> None:
    if not versions:
        problems.append(required(path, f"must specify one of {', '.join(_REVIEWS)}"))
        return
    for position, version in enumerate(versions):
        check_name(names.dns1035_label, version, path.index(position), problems)
    problems += [duplicate(path.index(position), versions[position]) for position in duplicates(versions)]
    if not set(versions) & set(_REVIEWS):
        detail = f"must include at least one of {', '.join(_REVIEWS)}"
        problems.append(invalid(path, list(versions), detail))


def _check_rule(rule: RuleWithOperations, path: Path, problems: Problems) -> None:
    if not rule.operations:
        problems.append(required(path.child("operations")))
    if len(rule.operations) > 1 and "*" in rule.operations:
        detail = "if '*' is present, must not specify other operations"
        problems.append(invalid(path.child("operations"), list(rule.operations), detail))
    for position, operation in enumerate(rule.operations):
        if operation not in _OPERATIONS:
            problems.append(not_supported(path.child("operations").index(position), operation, _OPERATIONS))
    _check_names(rule.rule.apiGroups, "API groups", path.child("apiGroups"), problems)
    _check_names(rule.rule.apiVersions, "API versions", path.child("apiVersions"), problems)
    if not rule.rule.resources:
        problems.append(required(path.child("resources")))
    if rule.rule.scope not in {"*", "Cluster", "Namespaced"}:
        problems.append(not_supported(path.child("scope"), rule.rule.scope, ("*", "Cluster", "Namespaced")))


def _check_names(given: Iterable[str], what: str, path: Path, problems: Problems) -> None:
    listed = list(given)
    if not listed:
        problems.append(required(path))
    elif len(listed) > 1 and "*" in listed:
        problems.append(invalid(path, listed, f"if '*' is present, must not specify other {what}"))
