"""Custom resource definitions: names that fit together, and one version to store objects in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.validation.checks import Problems, check_enum, check_name, duplicates
from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, duplicate, immutable, invalid, not_supported, required
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from kubewire.api.apiextensions.v1.custom_resource_definition_pb2 import (
        CustomResourceDefinition,
        CustomResourceDefinitionSpec,
    )

_SPEC = ROOT.child("spec")
_NAMES = _SPEC.child("names")
_VERSIONS = _SPEC.child("versions")
_SCOPES = ("Cluster", "Namespaced")


def validate_definition(definition: CustomResourceDefinition) -> list[FieldError]:
    """A new definition; its schemas are not looked into."""
    problems: Problems = []
    spec = definition.spec
    expected = f"{spec.names.plural}.{spec.group}"
    if definition.metadata.name != expected:
        at = ROOT.child("metadata", "name")
        detail = 'must be spec.names.plural+"."+spec.group'
        problems.append(invalid(at, definition.metadata.name, detail))
    _check_group(spec, problems)
    check_enum(spec.scope, _SCOPES, _SPEC.child("scope"), problems)
    _check_versions(spec, problems)
    _check_names(spec, problems)
    _check_conversion(spec, _SPEC.child("conversion"), problems)
    return problems


def _check_group(spec: CustomResourceDefinitionSpec, problems: Problems) -> None:
    at = _SPEC.child("group")
    if not spec.group:
        problems.append(required(at))
    elif names.dns1123_subdomain(spec.group):
        problems.append(invalid(at, spec.group, "; ".join(names.dns1123_subdomain(spec.group))))
    elif "." not in spec.group:
        problems.append(invalid(at, spec.group, "should be a domain with at least one dot"))


def _check_versions(spec: CustomResourceDefinitionSpec, problems: Problems) -> None:
    if not spec.versions:
        problems.append(required(_VERSIONS, "must have at least one version"))
    for position, version in enumerate(spec.versions):
        at = _VERSIONS.index(position)
        check_name(names.dns1035_label, version.name, at.child("name"), problems)
        if not getattr(version, "schema").HasField("openAPIV3Schema"):  # noqa: B009 - `schema` hides a builtin
            problems.append(required(at.child("schema", "openAPIV3Schema"), "schemas are required"))
    listed = [version.name for version in spec.versions]
    for position in duplicates(listed):
        problems.append(duplicate(_VERSIONS.index(position).child("name"), listed[position]))
    if sum(version.storage for version in spec.versions) != 1:
        detail = "must have exactly one version marked as storage version"
        problems.append(invalid(_VERSIONS, listed, detail))


def _check_names(spec: CustomResourceDefinitionSpec, problems: Problems) -> None:
    given = spec.names
    for member, text in (("plural", given.plural), ("singular", given.singular)):
        _check_label(text, _NAMES.child(member), problems)
    for member, text in (("kind", given.kind), ("listKind", given.listKind)):
        _check_label(text.lower(), _NAMES.child(member), problems)
    for position, text in enumerate(given.shortNames):
        _check_label(text, _NAMES.child("shortNames").index(position), problems)
    for position, text in enumerate(given.categories):
        _check_label(text, _NAMES.child("categories").index(position), problems)
    if given.kind and given.kind == given.listKind:
        detail = "kind and listKind may not be the same"
        problems.append(invalid(_NAMES.child("listKind"), given.listKind, detail))


def _check_label(text: str, path: Path, problems: Problems) -> None:
    if not text:
        problems.append(required(path))
        return
    wrong = names.dns1035_label(text)
    if wrong:
        problems.append(invalid(path, text, ",".join(wrong)))


def _check_conversion(spec: CustomResourceDefinitionSpec, path: Path, problems: Problems) -> None:
    strategy = spec.conversion.strategy
    if not strategy:
        problems.append(required(path.child("strategy")))
    elif strategy not in {"None", "Webhook"}:
        problems.append(not_supported(path.child("strategy"), strategy, ("None", "Webhook")))
    elif strategy == "Webhook" and not spec.conversion.webhook.HasField("clientConfig"):
        detail = "required when strategy is set to Webhook"
        problems.append(required(path.child("webhookClientConfig"), detail))


def validate_definition_update(new: CustomResourceDefinition, old: CustomResourceDefinition) -> list[FieldError]:
    """Objects are stored under the group and resource: those stay."""
    problems = validate_definition(new)
    if new.spec.group != old.spec.group:
        problems.append(immutable(_SPEC.child("group"), new.spec.group))
    is_established = any(item.type == "Established" and item.status == "True" for item in old.status.conditions)
    if is_established and new.spec.scope != old.spec.scope:
        problems.append(immutable(_SPEC.child("scope"), new.spec.scope))
    if new.spec.names.plural != old.spec.names.plural:
        problems.append(immutable(_NAMES.child("plural"), new.spec.names.plural))
    served = {version.name for version in new.spec.versions}
    for position, version in enumerate(old.status.storedVersions):
        if version not in served:
            detail = f"missing from spec.versions; {version} was previously a storage version, and must remain in "
            detail += "spec.versions until a storage migration ensures no data remains persisted in "
            detail += f"{version} and removes {version} from status.storedVersions"
            problems.append(invalid(ROOT.child("status", "storedVersions").index(position), version, detail))
    return problems
