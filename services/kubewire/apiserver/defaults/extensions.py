"""What extends the API: custom resource definitions and aggregated API services."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubewire.api.apiextensions.v1.custom_resource_definition_pb2 import (
        CustomResourceDefinition,
        CustomResourceDefinitionSpec,
    )
    from kubewire.api.apiregistration.v1.api_service_pb2 import APIService


def default_custom_resource_definition(definition: CustomResourceDefinition) -> None:
    """Complete the names, choose no conversion, and note the version objects are stored in."""
    _default_spec(definition.spec)
    if not definition.status.storedVersions:
        stored = next((version.name for version in definition.spec.versions if version.storage), None)
        if stored is not None:
            definition.status.storedVersions.append(stored)


def _default_spec(spec: CustomResourceDefinitionSpec) -> None:
    if spec.names.kind:
        if not spec.names.singular:
            spec.names.singular = spec.names.kind.lower()
        if not spec.names.listKind:
            spec.names.listKind = spec.names.kind + "List"
    if not spec.HasField("conversion"):
        spec.conversion.strategy = "None"
    client = spec.conversion.webhook.clientConfig
    if client.HasField("service") and not client.service.HasField("port"):
        client.service.port = 443


def default_api_service(service: APIService) -> None:
    """Aggregated servers listen on 443 unless they say otherwise."""
    if service.spec.HasField("service") and not service.spec.service.HasField("port"):
        service.spec.service.port = 443
