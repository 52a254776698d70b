"""Cells of volumes and of the storage and resource groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from kubewire.apiserver.encoding.table.text import NONE, UNSET, Cells, age_of

if TYPE_CHECKING:
    from kubewire.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
    from kubewire.api.core.v1.persistent_volume_pb2 import PersistentVolume
    from kubewire.api.resource.v1.device_class_pb2 import DeviceClass
    from kubewire.api.resource.v1.resource_claim_pb2 import ResourceClaim
    from kubewire.api.resource.v1.resource_claim_template_pb2 import ResourceClaimTemplate
    from kubewire.api.resource.v1.resource_slice_pb2 import ResourceSlice
    from kubewire.api.storage.v1.csi_driver_pb2 import CSIDriver
    from kubewire.api.storage.v1.csi_node_pb2 import CSINode
    from kubewire.api.storage.v1.storage_class_pb2 import StorageClass
    from kubewire.api.storage.v1.volume_attachment_pb2 import VolumeAttachment
    from kubewire.api.storage.v1.volume_attributes_class_pb2 import VolumeAttributesClass

_ACCESS_MODES: Final = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
_DEFAULT_CLASS: Final = "storageclass.kubernetes.io/is-default-class"
_DEFAULT_CLASS_BETA: Final = "storageclass.beta.kubernetes.io/is-default-class"
_CLASS_BETA: Final = "volume.beta.kubernetes.io/storage-class"


def _access_modes(modes: Iterable[str]) -> str:
    """Short names in their usual order, each once."""
    given = set(modes)
    return ",".join(short for mode, short in _ACCESS_MODES.items() if mode in given)


def persistent_volume(obj: PersistentVolume) -> Cells:
    """Cells of a volume."""
    spec = obj.spec
    claim = f"{spec.claimRef.namespace}/{spec.claimRef.name}" if spec.HasField("claimRef") else ""
    return [
        obj.metadata.name,
        spec.capacity["storage"].string if "storage" in spec.capacity else "",
        _access_modes(spec.accessModes),
        spec.persistentVolumeReclaimPolicy,
        "Terminating" if obj.metadata.HasField("deletionTimestamp") else obj.status.phase,
        claim,
        obj.metadata.annotations.get(_CLASS_BETA) or spec.storageClassName,
        spec.volumeAttributesClassName or UNSET,
        obj.status.reason,
        age_of(obj.metadata),
        spec.volumeMode or UNSET,
    ]


def persistent_volume_claim(obj: PersistentVolumeClaim) -> Cells:
    """Cells of a claim; capacity and access modes are those of the volume it is bound to."""
    spec, status = obj.spec, obj.status
    capacity, modes = "", ""
    if spec.volumeName:
        capacity = status.capacity["storage"].string if "storage" in status.capacity else "0"
        modes = _access_modes(status.accessModes)
    return [
        obj.metadata.name,
        "Terminating" if obj.metadata.HasField("deletionTimestamp") else status.phase,
        spec.volumeName,
        capacity,
        modes,
        obj.metadata.annotations.get(_CLASS_BETA) or spec.storageClassName,
        spec.volumeAttributesClassName or UNSET,
        age_of(obj.metadata),
        spec.volumeMode or UNSET,
    ]


def storage_class(obj: StorageClass) -> Cells:
    """Cells of a storage class."""
    annotations = obj.metadata.annotations
    is_default = "true" in (annotations.get(_DEFAULT_CLASS), annotations.get(_DEFAULT_CLASS_BETA))
    return [
        f"{obj.metadata.name} (default)" if is_default else obj.metadata.name,
        obj.provisioner,
        obj.reclaimPolicy or "Delete",
        obj.volumeBindingMode or "Immediate",
        obj.allowVolumeExpansion,
        age_of(obj.metadata),
    ]


def volume_attributes_class(obj: VolumeAttributesClass) -> Cells:
    """Cells of a class of volume attributes."""
    return [obj.metadata.name, obj.driverName, age_of(obj.metadata)]


def volume_attachment(obj: VolumeAttachment) -> Cells:
    """Cells of an attachment."""
    spec = obj.spec
    volume = spec.source.persistentVolumeName
    return [obj.metadata.name, spec.attacher, volume, spec.nodeName, obj.status.attached, age_of(obj.metadata)]


def csi_node(obj: CSINode) -> Cells:
    """Cells of a node's drivers."""
    return [obj.metadata.name, len(obj.spec.drivers), age_of(obj.metadata)]


def csi_driver(obj: CSIDriver) -> Cells:
    """Cells of a driver."""
    spec = obj.spec
    return [
        obj.metadata.name,
        spec.attachRequired if spec.HasField("attachRequired") else True,
        spec.podInfoOnMount,
        spec.storageCapacity,
        ",".join(request.audience for request in spec.tokenRequests) or UNSET,
        spec.requiresRepublish,
        ",".join(spec.volumeLifecycleModes) or NONE,
        age_of(obj.metadata),
    ]


def device_class(obj: DeviceClass) -> Cells:
    """Cells of a class of devices."""
    return [obj.metadata.name, age_of(obj.metadata)]


def resource_claim(obj: ResourceClaim) -> Cells:
    """Cells of a claim for devices."""
    states = []
    if obj.metadata.HasField("deletionTimestamp"):
        states.append("deleted")
    if obj.status.HasField("allocation"):
        states.append("allocated")
        states.extend(["reserved"] if obj.status.reservedFor else [])
    return [obj.metadata.name, ",".join(states) or "pending", age_of(obj.metadata)]


def resource_claim_template(obj: ResourceClaimTemplate) -> Cells:
    """Cells of a template of claims."""
    return [obj.metadata.name, age_of(obj.metadata)]


def resource_slice(obj: ResourceSlice) -> Cells:
    """Cells of a node's devices."""
    spec = obj.spec
    return [obj.metadata.name, spec.nodeName or UNSET, spec.driver, spec.pool.name, age_of(obj.metadata)]
