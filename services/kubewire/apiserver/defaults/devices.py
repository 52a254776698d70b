"""Dynamic resource allocation: claims and what drivers publish.

The time of a device taint is a default, too, but needs a clock: the strategy of ResourceSlices sets it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from kubewire.api.resource.v1.resource_claim_pb2 import ResourceClaim
    from kubewire.api.resource.v1.resource_claim_spec_pb2 import (
        DeviceSubRequest,
        DeviceToleration,
        ExactDeviceRequest,
        ResourceClaimSpec,
    )
    from kubewire.api.resource.v1.resource_claim_template_pb2 import ResourceClaimTemplate
    from kubewire.api.resource.v1.resource_slice_pb2 import ResourceSlice

AnyRequest: TypeAlias = "ExactDeviceRequest | DeviceSubRequest"


def default_resource_claim(claim: ResourceClaim) -> None:
    """Fill a claim, and the allocation in its status."""
    _default_claim_spec(claim.spec)
    for result in claim.status.allocation.devices.results:
        _default_tolerations(result.tolerations)


def default_resource_claim_template(template: ResourceClaimTemplate) -> None:
    """Fill the claim inside."""
    _default_claim_spec(template.spec.spec)


def _default_claim_spec(spec: ResourceClaimSpec) -> None:
    for request in spec.devices.requests:
        if request.HasField("exactly"):
            _default_request(request.exactly)
        for alternative in request.firstAvailable:
            _default_request(alternative)


def _default_request(request: AnyRequest) -> None:
    if not request.allocationMode:
        request.allocationMode = "ExactCount"
    if request.allocationMode == "ExactCount" and not request.count:
        request.count = 1
    _default_tolerations(request.tolerations)


def _default_tolerations(tolerations: Iterable[DeviceToleration]) -> None:
    for toleration in tolerations:
        if not toleration.operator:
            toleration.operator = "Equal"


def default_resource_slice(resource_slice: ResourceSlice) -> None:
    """A device takes as much of a node's resources as it has, unless it says otherwise."""
    for device in resource_slice.spec.devices:
        for mapping in device.nodeAllocatableResourceMappings.values():
            if not mapping.HasField("allocationMultiplier"):
                mapping.allocationMultiplier.string = "1"
