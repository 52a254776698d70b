"""Volumes of pods: one complete source each, under a name that mounts can refer to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Never, cast

from kubewire.apiserver.validation.checks import Problems, check_name, problems_of
from kubewire.apiserver.validation.volume_files import (
    check_config_map,
    check_downward_api,
    check_projected,
    check_secret,
)
from kubewire.apiserver.validation.volume_sources import SOURCES
from kubewire.machinery import names
from kubewire.machinery.field_errors import duplicate, forbidden, required
from kubewire.machinery.field_path import Path

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.core.v1.volume_pb2 import Volume

Check = Callable[[Never, Path, Problems], None]

_SOURCES: Mapping[str, Check] = {
    **SOURCES,
    "secret": check_secret,
    "configMap": check_config_map,
    "downwardAPI": check_downward_api,
    "projected": check_projected,
}


def check_volumes(volumes: Sequence[Volume], path: Path, problems: Problems) -> set[str]:
    """All volumes of a pod; the names of those that mounts may use."""
    known: set[str] = set()
    for position, volume in enumerate(volumes):
        at = path.index(position)
        _check_volume(volume, at, problems)
        if not volume.name:
            problems.append(required(at.child("name")))
        elif problems_of(names.dns1123_label, volume.name):
            check_name(names.dns1123_label, volume.name, at.child("name"), problems)
        elif volume.name in known:
            problems.append(duplicate(at.child("name"), volume.name))
        known.add(volume.name)
    return known


def _check_volume(volume: Volume, path: Path, problems: Problems) -> None:
    members = volume.volumeSource.ListFields()
    if not members:
        problems.append(required(path, "must specify a volume type"))
        return
    (member, source), *others = members
    check = _SOURCES.get(member.name)
    if check is not None:
        cast("Callable[[Message, Path, Problems], None]", check)(source, path.child(member.name), problems)
    problems.extend(forbidden(path.child(other.name), "may not specify more than 1 volume type") for other, _ in others)
