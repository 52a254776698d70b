"""The kinds of volumes: under which name each lies on disk, and why some are refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubewire.api.core.v1.volume_pb2 import Volume
from kubewire.kubelet.volumes import layout

PLUGINS: Final[Mapping[str, str]] = {
    "emptyDir": layout.EMPTY_DIR,
    "configMap": layout.CONFIG_MAP,
    "secret": layout.SECRET,
    "projected": layout.PROJECTED,
    "downwardAPI": layout.DOWNWARD_API,
    "hostPath": layout.HOST_PATH,
}
"""By the field of the volume's source."""

IN_MEMORY: Final = frozenset({layout.SECRET, layout.PROJECTED})
"""What is secret is never written to the disk."""

_READ_ONLY: Final = frozenset({layout.CONFIG_MAP, layout.SECRET, layout.PROJECTED, layout.DOWNWARD_API})


def kind_of(volume: Volume) -> str:
    """Which field of the source is set; a volume without any is an emptyDir."""
    return next((field.name for field, _ in volume.volumeSource.ListFields()), "emptyDir")


def plugin_of(volume: Volume) -> str:
    """The name under which it lies on disk; empty for kinds that are refused."""
    return PLUGINS.get(kind_of(volume), "")


def is_read_only(volume: Volume) -> bool:
    """Whether containers may not write to it whatever their mounts say."""
    return plugin_of(volume) in _READ_ONLY


def refusal_of(volume: Volume) -> str:
    """Why a volume cannot be had on this node; empty if it can."""
    kind = kind_of(volume)
    if kind in PLUGINS:
        return ""
    return f"{kind} volumes are not supported; want one of {', '.join(PLUGINS)}"
