"""What extends the API: definitions of kinds, aggregated services, devices and their drivers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubewire.apiserver.strategy.base import KindStrategy

if TYPE_CHECKING:
    from kubewire.api.apiextensions.v1.custom_resource_definition_pb2 import CustomResourceDefinition
    from kubewire.api.apiregistration.v1.api_service_pb2 import APIService
    from kubewire.api.resource.v1.resource_slice_pb2 import ResourceSlice
    from kubewire.api.storage.v1.csi_driver_pb2 import CSIDriver
    from kubewire.apiserver.strategy.contracts import WriteContext


@dataclass(frozen=True, kw_only=True)
class CustomResourceDefinitionStrategy(KindStrategy["CustomResourceDefinition"]):
    """The status remembers every version objects were ever stored in."""

    counted: tuple[str, ...] = ("spec",)
    has_status: bool = True
    freezes_metadata: bool = True
    allow_unconditional_update: bool = False

    def initialize(self, obj: CustomResourceDefinition, _ctx: WriteContext) -> None:
        """Note the version objects will be stored in."""
        _note_stored_version(obj)

    def reconcile(self, new: CustomResourceDefinition, _old: CustomResourceDefinition, _ctx: WriteContext) -> None:
        """Note the version objects will be stored in from now on."""
        _note_stored_version(new)


def _note_stored_version(definition: CustomResourceDefinition) -> None:
    for version in definition.spec.versions:
        if version.storage and version.name not in definition.status.storedVersions:
            definition.status.storedVersions.append(version.name)


@dataclass(frozen=True, kw_only=True)
class APIServiceStrategy(KindStrategy["APIService"]):
    """Services that this server provides itself are available from the start."""

    has_status: bool = True
    allow_unconditional_update: bool = False

    def initialize(self, obj: APIService, ctx: WriteContext) -> None:
        """Say so."""
        if not obj.spec.HasField("service"):
            obj.status.conditions.add(
                type="Available",
                status="True",
                reason="Local",
                message="Local APIServices are always available",
            ).lastTransitionTime.seconds = ctx.now_seconds


@dataclass(frozen=True, kw_only=True)
class ResourceSliceStrategy(KindStrategy["ResourceSlice"]):
    """Taints of devices count from the time they were added."""

    counted: tuple[str, ...] = ("spec",)

    def initialize(self, obj: ResourceSlice, ctx: WriteContext) -> None:
        """Stamp taints."""
        _stamp_taints(obj, ctx.now_seconds)

    def reconcile(self, new: ResourceSlice, _old: ResourceSlice, ctx: WriteContext) -> None:
        """Stamp taints."""
        _stamp_taints(new, ctx.now_seconds)


def _stamp_taints(resource_slice: ResourceSlice, now_seconds: int) -> None:
    for device in resource_slice.spec.devices:
        for taint in device.taints:
            if not taint.HasField("timeAdded"):
                taint.timeAdded.seconds = now_seconds


@dataclass(frozen=True, kw_only=True)
class CSIDriverStrategy(KindStrategy["CSIDriver"]):
    """Changes are counted, but a new driver has no generation yet."""

    counted: tuple[str, ...] = ("spec",)
    allow_unconditional_update: bool = False

    def initialize(self, obj: CSIDriver, _ctx: WriteContext) -> None:
        """Begin without a generation."""
        obj.metadata.ClearField("generation")
