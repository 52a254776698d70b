"""Sources of volumes outside the cluster's own objects: directories, network file systems, drivers.

Most of them ask for two or three texts to be given, which is a table; the others have a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, Never, TypeAlias

from kubewire.apiserver.validation.checks import (
    Problems,
    check_given,
    check_name,
    check_no_backsteps,
    check_range,
)
from kubewire.apiserver.validation.claims import check_claim_spec
from kubewire.machinery import names
from kubewire.machinery.field_errors import forbidden, invalid, not_supported, required, too_long
from kubewire.machinery.field_path import Path
from kubewire.machinery.quantity import Quantity, QuantityError, parse

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.volume_source_pb2 import (
        CSIPersistentVolumeSource,
        CSIVolumeSource,
        EmptyDirVolumeSource,
        EphemeralVolumeSource,
        HostPathVolumeSource,
        ImageVolumeSource,
        ISCSIPersistentVolumeSource,
        ISCSIVolumeSource,
        LocalVolumeSource,
        NFSVolumeSource,
        PersistentVolumeClaimVolumeSource,
        RBDPersistentVolumeSource,
        RBDVolumeSource,
    )

Check: TypeAlias = Callable[[Never, Path, Problems], None]

_HOST_PATH_TYPES = (
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
)
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_DRIVER_NAME_LIMIT = 63
_MAX_LUN = 255


def _given(source: Message, path: Path, problems: Problems, *, fields: tuple[str, ...]) -> None:
    for name in fields:
        if not getattr(source, name):
            problems.append(required(path.child(name)))


def check_host_path(source: HostPathVolumeSource, path: Path, problems: Problems) -> None:
    """A path of the node."""
    if not source.path:
        problems.append(required(path.child("path")))
        return
    check_no_backsteps(source.path, path.child("path"), problems)
    if source.type not in _HOST_PATH_TYPES:
        problems.append(not_supported(path.child("type"), source.type, _HOST_PATH_TYPES))


def check_local(source: LocalVolumeSource, path: Path, problems: Problems) -> None:
    """A disk or directory of one node."""
    if not source.path:
        problems.append(required(path.child("path")))
    else:
        check_no_backsteps(source.path, path.child("path"), problems)


def check_empty_dir(source: EmptyDirVolumeSource, path: Path, problems: Problems) -> None:
    """A directory that lives as long as the pod."""
    if not source.HasField("sizeLimit"):
        return
    try:
        is_negative = parse(source.sizeLimit.string or "0") < Quantity(0)
    except QuantityError:
        is_negative = True
    if is_negative:
        detail = "SizeLimit field must be a valid resource quantity"
        problems.append(forbidden(path.child("sizeLimit"), detail))


def check_nfs(source: NFSVolumeSource, path: Path, problems: Problems) -> None:
    """An exported directory."""
    check_given(source.server, path.child("server"), problems)
    if not source.path:
        problems.append(required(path.child("path")))
    elif not source.path.startswith("/"):
        problems.append(invalid(path.child("path"), source.path, "must be an absolute path"))


def check_iscsi(source: ISCSIVolumeSource | ISCSIPersistentVolumeSource, path: Path, problems: Problems) -> None:
    """A logical unit of a target."""
    check_given(source.targetPortal, path.child("targetPortal"), problems)
    if not source.iqn:
        problems.append(required(path.child("iqn")))
    elif not source.iqn.startswith(("iqn", "eui", "naa")):
        detail = "must be valid format starting with iqn, eui, or naa"
        problems.append(invalid(path.child("iqn"), source.iqn, detail))
    check_range(source.lun, 0, _MAX_LUN, path.child("lun"), problems)


def check_rbd(source: RBDVolumeSource | RBDPersistentVolumeSource, path: Path, problems: Problems) -> None:
    """A block device of Ceph."""
    if not source.monitors:
        problems.append(required(path.child("monitors")))
    check_given(source.image, path.child("image"), problems)


def _check_image(source: ImageVolumeSource, path: Path, problems: Problems) -> None:
    check_given(source.reference, path.child("reference"), problems)
    if source.pullPolicy not in _PULL_POLICIES:
        problems.append(not_supported(path.child("pullPolicy"), source.pullPolicy, _PULL_POLICIES))


def _check_claim(source: PersistentVolumeClaimVolumeSource, path: Path, problems: Problems) -> None:
    check_given(source.claimName, path.child("claimName"), problems)


def _check_ephemeral(source: EphemeralVolumeSource, path: Path, problems: Problems) -> None:
    if not source.HasField("volumeClaimTemplate"):
        problems.append(required(path.child("volumeClaimTemplate")))
    else:
        check_claim_spec(source.volumeClaimTemplate.spec, path.child("volumeClaimTemplate", "spec"), problems)


def check_driver_name(driver: str, path: Path, problems: Problems) -> None:
    """The name of a storage driver: a short domain name in whatever case."""
    if not driver:
        problems.append(required(path))
        return
    if len(driver) > _DRIVER_NAME_LIMIT:
        problems.append(too_long(path, _DRIVER_NAME_LIMIT))
    check_name(names.dns1123_subdomain, driver.lower(), path, problems)


def _check_csi(source: CSIVolumeSource, path: Path, problems: Problems) -> None:
    check_driver_name(source.driver, path.child("driver"), problems)
    if source.HasField("nodePublishSecretRef") and not source.nodePublishSecretRef.name:
        problems.append(required(path.child("nodePublishSecretRef", "name")))


def check_persistent_csi(source: CSIPersistentVolumeSource, path: Path, problems: Problems) -> None:
    """A volume a driver knows by its handle."""
    check_driver_name(source.driver, path.child("driver"), problems)
    check_given(source.volumeHandle, path.child("volumeHandle"), problems)


COMMON: Final[Mapping[str, Check]] = {
    "awsElasticBlockStore": partial(_given, fields=("volumeID",)),
    "azureDisk": partial(_given, fields=("diskName", "diskURI")),
    "azureFile": partial(_given, fields=("secretName", "shareName")),
    "cephfs": partial(_given, fields=("monitors",)),
    "cinder": partial(_given, fields=("volumeID",)),
    "flexVolume": partial(_given, fields=("driver",)),
    "gcePersistentDisk": partial(_given, fields=("pdName",)),
    "glusterfs": partial(_given, fields=("endpoints", "path")),
    "hostPath": check_host_path,
    "iscsi": check_iscsi,
    "nfs": check_nfs,
    "photonPersistentDisk": partial(_given, fields=("pdID",)),
    "portworxVolume": partial(_given, fields=("volumeID",)),
    "quobyte": partial(_given, fields=("registry", "volume")),
    "rbd": check_rbd,
    "scaleIO": partial(_given, fields=("gateway", "system", "volumeName")),
    "storageos": partial(_given, fields=("volumeName",)),
    "vsphereVolume": partial(_given, fields=("volumePath",)),
}
"""Sources that pods and persistent volumes name alike."""

SOURCES: Final[Mapping[str, Check]] = {
    **COMMON,
    "csi": _check_csi,
    "emptyDir": check_empty_dir,
    "ephemeral": _check_ephemeral,
    "gitRepo": partial(_given, fields=("repository",)),
    "image": _check_image,
    "persistentVolumeClaim": _check_claim,
}

PERSISTENT_SOURCES: Final[Mapping[str, Check]] = {
    **COMMON,
    "csi": check_persistent_csi,
    "local": check_local,
}
