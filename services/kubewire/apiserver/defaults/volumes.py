"""Volumes of pods and the sources of persistent volumes.

A volume has one source as a rule, so the walk goes over the members that are set instead of asking for thirty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Never, cast

from kubewire.apiserver.defaults.containers import default_field_selector
from kubewire.apiserver.defaults.resource_lists import default_resource_list

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.claim_spec_pb2 import PersistentVolumeClaimSpec
    from kubewire.api.core.v1.volume_pb2 import DownwardAPIProjection, ProjectedVolumeSource, Volume
    from kubewire.api.core.v1.volume_source_pb2 import (
        AzureDiskVolumeSource,
        ConfigMapVolumeSource,
        DownwardAPIVolumeSource,
        EphemeralVolumeSource,
        HostPathVolumeSource,
        ImageVolumeSource,
        ISCSIPersistentVolumeSource,
        ISCSIVolumeSource,
        PersistentVolumeSource,
        RBDPersistentVolumeSource,
        RBDVolumeSource,
        ScaleIOPersistentVolumeSource,
        ScaleIOVolumeSource,
        SecretVolumeSource,
    )

from kubewire.apiserver.defaults.images import default_pull_policy

_FILE_MODE = 0o644


def default_volume(volume: Volume) -> None:
    """Fill a pod's volume; one without any source is an empty directory."""
    members = volume.volumeSource.ListFields()
    if not members:
        volume.volumeSource.emptyDir.SetInParent()
    for member, source in members:
        default_source = _SOURCES.get(member.name)
        if default_source is not None:
            cast("Callable[[Message], None]", default_source)(source)


def default_persistent_source(source: PersistentVolumeSource) -> None:
    """Fill the source of a persistent volume."""
    for member, value in source.ListFields():
        default_source = _PERSISTENT_SOURCES.get(member.name)
        if default_source is not None:
            cast("Callable[[Message], None]", default_source)(value)


def default_claim_spec(spec: PersistentVolumeClaimSpec) -> None:
    """Fill the wishes of a claim."""
    if not spec.HasField("volumeMode"):
        spec.volumeMode = "Filesystem"
    if spec.HasField("resources"):
        default_resource_list(spec.resources.limits)
        default_resource_list(spec.resources.requests)


def _host_path(source: HostPathVolumeSource) -> None:
    if not source.HasField("type"):
        source.type = ""


def _files(source: SecretVolumeSource | ConfigMapVolumeSource) -> None:
    if not source.HasField("defaultMode"):
        source.defaultMode = _FILE_MODE


def _downward_api(source: DownwardAPIVolumeSource) -> None:
    if not source.HasField("defaultMode"):
        source.defaultMode = _FILE_MODE
    _downward_items(source)


def _downward_items(source: DownwardAPIVolumeSource | DownwardAPIProjection) -> None:
    for item in source.items:
        if item.HasField("fieldRef"):
            default_field_selector(item.fieldRef)


def _projected(source: ProjectedVolumeSource) -> None:
    if not source.HasField("defaultMode"):
        source.defaultMode = _FILE_MODE
    for projection in source.sources:
        if projection.HasField("downwardAPI"):
            _downward_items(projection.downwardAPI)
        if projection.HasField("serviceAccountToken"):
            token = projection.serviceAccountToken
            if not token.HasField("expirationSeconds"):
                token.expirationSeconds = 3600


def _ephemeral(source: EphemeralVolumeSource) -> None:
    if source.HasField("volumeClaimTemplate"):
        default_claim_spec(source.volumeClaimTemplate.spec)


def _image(source: ImageVolumeSource) -> None:
    if not source.pullPolicy:
        source.pullPolicy = default_pull_policy(source.reference)


def _iscsi(source: ISCSIVolumeSource | ISCSIPersistentVolumeSource) -> None:
    if not source.iscsiInterface:
        source.iscsiInterface = "default"


def _rbd(source: RBDVolumeSource | RBDPersistentVolumeSource) -> None:
    if not source.pool:
        source.pool = "rbd"
    if not source.user:
        source.user = "admin"
    if not source.keyring:
        source.keyring = "/etc/ceph/keyring"


def _azure_disk(source: AzureDiskVolumeSource) -> None:
    if not source.HasField("cachingMode"):
        source.cachingMode = "ReadWrite"
    if not source.HasField("fsType"):
        source.fsType = "ext4"
    if not source.HasField("readOnly"):
        source.readOnly = False
    if not source.HasField("kind"):
        source.kind = "Shared"


def _scale_io(source: ScaleIOVolumeSource | ScaleIOPersistentVolumeSource) -> None:
    if not source.storageMode:
        source.storageMode = "ThinProvisioned"
    if not source.fsType:
        source.fsType = "xfs"


_SOURCES: Mapping[str, Callable[[Never], None]] = {
    "hostPath": _host_path,
    "secret": _files,
    "configMap": _files,
    "downwardAPI": _downward_api,
    "projected": _projected,
    "ephemeral": _ephemeral,
    "image": _image,
    "iscsi": _iscsi,
    "rbd": _rbd,
    "azureDisk": _azure_disk,
    "scaleIO": _scale_io,
}

_PERSISTENT_SOURCES: Mapping[str, Callable[[Never], None]] = {
    "hostPath": _host_path,
    "rbd": _rbd,
    "iscsi": _iscsi,
    "azureDisk": _azure_disk,
    "scaleIO": _scale_io,
}
