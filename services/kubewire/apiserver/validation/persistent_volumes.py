"""Persistent volumes and the classes they are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from kubewire.apiserver.validation.checks import Problems, check_enum, check_name
from kubewire.apiserver.validation.claims import ACCESS_MODES, VOLUME_MODES
from kubewire.apiserver.validation.placement import check_node_selector
from kubewire.apiserver.validation.resources import check_amount, is_zero_amount
from kubewire.apiserver.validation.volume_sources import PERSISTENT_SOURCES, check_driver_name
from kubewire.machinery import names
from kubewire.machinery.field_errors import (
    FieldError,
    forbidden,
    immutable,
    invalid,
    not_supported,
    required,
    too_long,
)
from kubewire.machinery.field_path import ROOT, Path

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.persistent_volume_pb2 import PersistentVolume, PersistentVolumeSpec
    from kubewire.api.storage.v1.csi_driver_pb2 import CSIDriver
    from kubewire.api.storage.v1.storage_class_pb2 import StorageClass

_SPEC = ROOT.child("spec")
_RECLAIM_POLICIES = ("Delete", "Recycle", "Retain")
_CLASS_RECLAIM_POLICIES = ("Delete", "Retain")
_BINDING_MODES = ("Immediate", "WaitForFirstConsumer")
_MAX_PARAMETERS = 512
_MAX_PARAMETER_BYTES = 256 * 1024


def validate_persistent_volume(volume: PersistentVolume) -> list[FieldError]:
    """A new volume."""
    problems: Problems = []
    spec = volume.spec
    if not spec.accessModes:
        problems.append(required(_SPEC.child("accessModes")))
    problems.extend(
        not_supported(_SPEC.child("accessModes"), mode, ACCESS_MODES)
        for mode in spec.accessModes
        if mode not in ACCESS_MODES
    )
    _check_capacity(spec, _SPEC.child("capacity"), problems)
    _check_reclaim(spec, problems)
    if spec.HasField("nodeAffinity"):
        _check_affinity(spec, _SPEC.child("nodeAffinity"), problems)
    _check_source(spec, problems)
    if spec.storageClassName:
        check_name(names.dns1123_subdomain, spec.storageClassName, _SPEC.child("storageClassName"), problems)
    if spec.HasField("volumeMode") and spec.volumeMode not in VOLUME_MODES:
        problems.append(not_supported(_SPEC.child("volumeMode"), spec.volumeMode, VOLUME_MODES))
    return problems


def _check_capacity(spec: PersistentVolumeSpec, path: Path, problems: Problems) -> None:
    if not spec.capacity:
        problems.append(required(path))
    elif set(spec.capacity) != {"storage"}:
        printed = {name: amount.string for name, amount in sorted(spec.capacity.items())}
        problems.append(not_supported(path, printed, ("storage",)))
    for name, amount in spec.capacity.items():
        check_amount(name, amount.string, path.key(name), problems)
        if is_zero_amount(amount.string):
            problems.append(invalid(path.key(name), amount.string, "must be greater than zero"))


def _check_reclaim(spec: PersistentVolumeSpec, problems: Problems) -> None:
    at = _SPEC.child("persistentVolumeReclaimPolicy")
    policy = spec.persistentVolumeReclaimPolicy
    if policy and policy not in _RECLAIM_POLICIES:
        problems.append(not_supported(at, policy, _RECLAIM_POLICIES))
    source = spec.persistentVolumeSource
    is_root = source.HasField("hostPath") and source.hostPath.path.rstrip("/") == "" and source.hostPath.path
    if is_root and policy == "Recycle":
        detail = "may not be 'recycle' for a hostPath mount of '/'"
        problems.append(forbidden(at, detail))


def _check_affinity(spec: PersistentVolumeSpec, path: Path, problems: Problems) -> None:
    if spec.nodeAffinity.HasField("required"):
        check_node_selector(spec.nodeAffinity.required, path.child("required"), problems)
    else:
        problems.append(required(path.child("required"), "must specify required node constraints"))


def _check_source(spec: PersistentVolumeSpec, problems: Problems) -> None:
    members = spec.persistentVolumeSource.ListFields()
    if not members:
        problems.append(required(_SPEC, "must specify a volume type"))
        return
    member, source = members[0]
    check = PERSISTENT_SOURCES.get(member.name)
    if check is not None:
        path = _SPEC.child(member.name)
        cast("Callable[[Message, Path, Problems], None]", check)(source, path, problems)
    if member.name == "local" and not spec.HasField("nodeAffinity"):
        problems.append(required(_SPEC.child("nodeAffinity"), "Local volume requires node affinity"))
    detail = "may not specify more than 1 volume type"
    problems.extend(forbidden(_SPEC.child(other.name), detail) for other, _ in members[1:])


def validate_persistent_volume_update(new: PersistentVolume, old: PersistentVolume) -> list[FieldError]:
    """Where the data lie is fixed."""
    problems = validate_persistent_volume(new)
    if new.spec.persistentVolumeSource != old.spec.persistentVolumeSource:
        detail = "spec.persistentvolumesource is immutable after creation"
        problems.append(forbidden(_SPEC.child("persistentvolumesource"), detail))
    if new.spec.volumeMode != old.spec.volumeMode:
        problems.append(immutable(_SPEC.child("volumeMode"), new.spec.volumeMode))
    if old.spec.HasField("nodeAffinity") and new.spec.nodeAffinity != old.spec.nodeAffinity:
        problems.append(invalid(_SPEC.child("nodeAffinity"), "", "field is immutable"))
    return problems


def validate_storage_class(storage_class: StorageClass) -> list[FieldError]:
    """A new class."""
    problems: Problems = []
    if storage_class.provisioner:
        check_name(names.qualified_name, storage_class.provisioner.lower(), ROOT.child("provisioner"), problems)
    else:
        problems.append(required(ROOT.child("provisioner")))
    _check_parameters(storage_class.parameters, ROOT.child("parameters"), problems)
    if storage_class.reclaimPolicy and storage_class.reclaimPolicy not in _CLASS_RECLAIM_POLICIES:
        at = ROOT.child("reclaimPolicy")
        problems.append(not_supported(at, storage_class.reclaimPolicy, _CLASS_RECLAIM_POLICIES))
    check_enum(storage_class.volumeBindingMode, _BINDING_MODES, ROOT.child("volumeBindingMode"), problems)
    return problems


def _check_parameters(parameters: Mapping[str, str], path: Path, problems: Problems) -> None:
    if len(parameters) > _MAX_PARAMETERS:
        problems.append(too_long(path, _MAX_PARAMETERS))
        return
    if "" in parameters:
        problems.append(invalid(path, "", "field can not be empty."))
    if sum(len(key.encode()) + len(value.encode()) for key, value in parameters.items()) > _MAX_PARAMETER_BYTES:
        problems.append(too_long(path, _MAX_PARAMETER_BYTES))


def validate_storage_class_update(new: StorageClass, old: StorageClass) -> list[FieldError]:
    """Volumes were made by these rules: they do not change."""
    problems = [
        forbidden(ROOT.child(name), f"updates to {name} are forbidden.")
        for name in ("parameters", "provisioner", "reclaimPolicy")
        if getattr(new, name) != getattr(old, name)
    ]
    if new.volumeBindingMode != old.volumeBindingMode:
        problems.append(immutable(ROOT.child("volumeBindingMode"), new.volumeBindingMode))
    return problems


def validate_csi_driver(driver: CSIDriver) -> list[FieldError]:
    """The object's name is the driver's."""
    problems: Problems = []
    check_driver_name(driver.metadata.name, ROOT.child("name"), problems)
    return problems
