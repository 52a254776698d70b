"""Folders that begin empty and live as long as the pod, on disk or in memory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.volume_source_pb2 import EmptyDirVolumeSource
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.mounting import Mounter
from kubewire.kubelet.volumes.owners import give_folder_to_group
from kubewire.machinery.quantity import value_of

_MODE: Final = 0o777
"""Whoever a container runs as may write; the folders above keep others of the node out."""

_MEMORY: Final = "Memory"


def memory_bytes(pod: Pod, source: EmptyDirVolumeSource) -> int | None:
    """How large a volume in memory may grow: its own limit, and no more than the pod may use; None: half the node's.

    Pages of it count as the memory of the container that wrote them, so that more could never be used.
    """
    limits = [value_of(source.sizeLimit.string)] if source.HasField("sizeLimit") else []
    of_pod = _memory_limit(pod)
    sizes = [size for size in (*limits, of_pod) if size]
    return min(sizes, default=None)


def _memory_limit(pod: Pod) -> int | None:
    if "memory" in pod.spec.resources.limits:
        return value_of(pod.spec.resources.limits["memory"].string)
    containers: Iterable[Container] = pod.spec.containers
    limits = [_limit(container) for container in containers]
    return None if None in limits else sum(limit for limit in limits if limit is not None)


def _limit(container: Container) -> int | None:
    limits = container.resources.limits
    return value_of(limits["memory"].string) if "memory" in limits else None


def set_up_empty_dir(
    folder: Path, source: EmptyDirVolumeSource, size: int | None, group: int | None, mounter: Mounter
) -> None:
    """Make the folder, or leave what an earlier kubelet made as it is.

    Raises:
        VolumeError: a medium that is not supported.
        OSError: the kernel refused.
    """
    if source.medium not in {"", _MEMORY}:
        raise VolumeError(f"emptyDir medium {source.medium!r} is not supported; want Memory or none")
    folder.mkdir(exist_ok=True)
    if source.medium == _MEMORY:
        limit = "" if size is None else f",size={size}"
        mounter.mount_tmpfs(folder, f"mode=0777{limit}")
    folder.chmod(_MODE)
    if group is not None:
        give_folder_to_group(folder, group, is_writable=True)
