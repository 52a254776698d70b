"""Volumes made of files: keys of config maps and secrets, fields of the pod, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from kubewire.apiserver.validation.checks import Problems, check_given, check_local_path
from kubewire.apiserver.validation.env import FILE_FIELDS, check_field_selector, check_resource_selector
from kubewire.machinery.field_errors import forbidden, invalid, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from kubewire.api.core.v1.volume_pb2 import (
        ConfigMapProjection,
        ProjectedVolumeSource,
        SecretProjection,
        ServiceAccountTokenProjection,
        VolumeProjection,
    )
    from kubewire.api.core.v1.volume_source_pb2 import (
        ConfigMapVolumeSource,
        DownwardAPIVolumeFile,
        DownwardAPIVolumeSource,
        KeyToPath,
        SecretVolumeSource,
    )

WithMode: TypeAlias = "SecretVolumeSource | ConfigMapVolumeSource | DownwardAPIVolumeSource | ProjectedVolumeSource"

_MAX_MODE = 0o777
_WRONG_MODE = "must be a number between 0 and 0777 (octal), both inclusive"
_MIN_TOKEN_SECONDS = 600
_MAX_TOKEN_SECONDS = 1 << 32


def check_secret(source: SecretVolumeSource, path: Path, problems: Problems) -> None:
    """A secret's keys as files."""
    check_given(source.secretName, path.child("secretName"), problems)
    _check_default_mode(source, path, problems)
    if source.items:
        _check_items(source.items, path.child("items"), problems)


def check_config_map(source: ConfigMapVolumeSource, path: Path, problems: Problems) -> None:
    """A config map's keys as files."""
    check_given(source.localObjectReference.name, path.child("name"), problems)
    _check_default_mode(source, path, problems)
    if source.items:
        _check_items(source.items, path.child("items"), problems)


def check_downward_api(source: DownwardAPIVolumeSource, path: Path, problems: Problems) -> None:
    """Fields of the pod as files."""
    _check_default_mode(source, path, problems)
    for item in source.items:
        _check_downward_file(item, path, problems)


def check_projected(source: ProjectedVolumeSource, path: Path, problems: Problems) -> None:
    """Several of these in one directory."""
    _check_default_mode(source, path, problems)
    taken: set[str] = set()
    for position, projection in enumerate(source.sources):
        at = path.child("sources").index(position)
        members = projection.ListFields()
        if not members:
            problems.append(required(at, "must specify a volume type"))
            continue
        (member, _), *others = members
        paths = _check_projection(projection, member.name, at.child(member.name), problems)
        problems.extend(invalid(path, name, "conflicting duplicate paths") for name in paths if name in taken)
        taken.update(paths)
        detail = "may not specify more than 1 volume type per source"
        problems.extend(forbidden(at.child(other.name), detail) for other, _ in others)


def _check_projection(projection: VolumeProjection, member: str, path: Path, problems: Problems) -> list[str]:
    """Check one projection; the paths of the files it makes by name."""
    if member in {"secret", "configMap"}:
        source = projection.secret if member == "secret" else projection.configMap
        return _check_keys(source, path, problems)
    if member == "downwardAPI":
        for item in projection.downwardAPI.items:
            _check_downward_file(item, path, problems)
        return [item.path for item in projection.downwardAPI.items]
    if member == "serviceAccountToken":
        _check_token(projection.serviceAccountToken, path, problems)
        return [projection.serviceAccountToken.path]
    if member == "clusterTrustBundle":
        check_given(projection.clusterTrustBundle.path, path.child("path"), problems)
        return [projection.clusterTrustBundle.path]
    return []


def _check_keys(source: SecretProjection | ConfigMapProjection, path: Path, problems: Problems) -> list[str]:
    check_given(source.localObjectReference.name, path.child("name"), problems)
    _check_items(source.items, path, problems)
    return [item.path for item in source.items]


def _check_token(token: ServiceAccountTokenProjection, path: Path, problems: Problems) -> None:
    at = path.child("expirationSeconds")
    if token.expirationSeconds < _MIN_TOKEN_SECONDS:
        detail = "may not specify a duration less than 10 minutes"
        problems.append(invalid(at, token.expirationSeconds, detail))
    if token.expirationSeconds > _MAX_TOKEN_SECONDS:
        detail = "may not specify a duration larger than 2^32 seconds"
        problems.append(invalid(at, token.expirationSeconds, detail))
    if not token.path:
        problems.append(required(path.child("path")))
    else:
        check_local_path(token.path, path.child("path"), problems)


def _check_default_mode(source: WithMode, path: Path, problems: Problems) -> None:
    if source.HasField("defaultMode") and not 0 <= source.defaultMode <= _MAX_MODE:
        problems.append(invalid(path.child("defaultMode"), source.defaultMode, _WRONG_MODE))


def _check_items(items: Sequence[KeyToPath], path: Path, problems: Problems) -> None:
    for position, item in enumerate(items):
        at = path.index(position)
        check_given(item.key, at.child("key"), problems)
        if not item.path:
            problems.append(required(at.child("path")))
        else:
            check_local_path(item.path, at.child("path"), problems)
        _check_mode(item, at, problems)


def _check_mode(item: KeyToPath | DownwardAPIVolumeFile, path: Path, problems: Problems) -> None:
    if item.HasField("mode") and not 0 <= item.mode <= _MAX_MODE:
        problems.append(invalid(path.child("mode"), item.mode, _WRONG_MODE))


def _check_downward_file(item: DownwardAPIVolumeFile, path: Path, problems: Problems) -> None:
    if not item.path:
        problems.append(required(path.child("path")))
    else:
        check_local_path(item.path, path.child("path"), problems)
    if item.HasField("fieldRef"):
        check_field_selector(item.fieldRef, FILE_FIELDS, path.child("fieldRef"), problems)
        if item.HasField("resourceFieldRef"):
            detail = "fieldRef and resourceFieldRef can not be specified simultaneously"
            problems.append(invalid(path, "resource", detail))
    elif item.HasField("resourceFieldRef"):
        at = path.child("resourceFieldRef")
        check_resource_selector(item.resourceFieldRef, at, problems, needs_container=True)
    else:
        problems.append(required(path, "one of fieldRef and resourceFieldRef is required"))
    _check_mode(item, path, problems)
