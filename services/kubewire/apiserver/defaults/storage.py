"""Storage: volumes, claims, classes and drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.defaults.resource_lists import default_resource_list
from kubewire.apiserver.defaults.volumes import default_claim_spec, default_persistent_source

if TYPE_CHECKING:
    from kubewire.api.core.v1.persistent_volume_claim_pb2 import PersistentVolumeClaim
    from kubewire.api.core.v1.persistent_volume_pb2 import PersistentVolume
    from kubewire.api.storage.v1.csi_driver_pb2 import CSIDriver
    from kubewire.api.storage.v1.storage_class_pb2 import StorageClass
    from kubewire.api.storage.v1.volume_attachment_pb2 import VolumeAttachment


def default_persistent_volume(volume: PersistentVolume) -> None:
    """Fill a PersistentVolume."""
    if not volume.status.phase:
        volume.status.phase = "Pending"
    spec = volume.spec
    if not spec.persistentVolumeReclaimPolicy:
        spec.persistentVolumeReclaimPolicy = "Retain"
    if not spec.HasField("volumeMode"):
        spec.volumeMode = "Filesystem"
    default_resource_list(spec.capacity)
    default_persistent_source(spec.persistentVolumeSource)


def default_claim(claim: PersistentVolumeClaim) -> None:
    """Fill a PersistentVolumeClaim, or a StatefulSet's template of one."""
    if not claim.status.phase:
        claim.status.phase = "Pending"
    default_claim_spec(claim.spec)
    default_resource_list(claim.status.capacity)
    default_resource_list(claim.status.allocatedResources)


def default_storage_class(storage_class: StorageClass) -> None:
    """Volumes go with their claims and are made at once, unless the class says otherwise."""
    if not storage_class.HasField("reclaimPolicy"):
        storage_class.reclaimPolicy = "Delete"
    if not storage_class.HasField("volumeBindingMode"):
        storage_class.volumeBindingMode = "Immediate"


def default_csi_driver(driver: CSIDriver) -> None:
    """Fill a CSIDriver."""
    spec = driver.spec
    if not spec.HasField("attachRequired"):
        spec.attachRequired = True
    if not spec.HasField("podInfoOnMount"):
        spec.podInfoOnMount = False
    if not spec.HasField("storageCapacity"):
        spec.storageCapacity = False
    if not spec.HasField("fsGroupPolicy"):
        spec.fsGroupPolicy = "ReadWriteOnceWithFSType"
    if not spec.volumeLifecycleModes:
        spec.volumeLifecycleModes.append("Persistent")
    if not spec.HasField("requiresRepublish"):
        spec.requiresRepublish = False
    if not spec.HasField("seLinuxMount"):
        spec.seLinuxMount = False


def default_volume_attachment(attachment: VolumeAttachment) -> None:
    """Fill the volume an attachment carries inline."""
    source = attachment.spec.source
    if source.HasField("inlineVolumeSpec"):
        default_resource_list(source.inlineVolumeSpec.capacity)
        default_persistent_source(source.inlineVolumeSpec.persistentVolumeSource)
