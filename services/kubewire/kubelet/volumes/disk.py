"""What is done to the disk for volumes. It blocks: called in threads, one at a time for a pod."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.volume_pb2 import Volume
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.atomic_files import write_files
from kubewire.kubelet.volumes.empty_dir import memory_bytes, set_up_empty_dir
from kubewire.kubelet.volumes.host_path import check_host_path
from kubewire.kubelet.volumes.layout import EMPTY_DIR, HOST_PATH, Layout
from kubewire.kubelet.volumes.mounting import Mounter
from kubewire.kubelet.volumes.owners import fs_group_of, give_folder_to_group
from kubewire.kubelet.volumes.payload import Payload
from kubewire.kubelet.volumes.removal import ForeignMount, remove_tree
from kubewire.kubelet.volumes.sources import IN_MEMORY, plugin_of
from kubewire.kubelet.volumes.sub_paths import bind_sub_path

_FILES_MODE: Final = 0o755


class Disk:
    """The folders of all pods of this node."""

    def __init__(self, layout: Layout, mounter: Mounter) -> None:
        self._layout = layout
        self._mounter = mounter

    def place_of(self, pod: Pod, volume: Volume) -> Path:
        """Where a volume is."""
        plugin = plugin_of(volume)
        if plugin == HOST_PATH:
            return Path(volume.volumeSource.hostPath.path)
        return self._layout.volume(pod.metadata.uid, plugin, volume.name)

    def set_up(self, pod: Pod, volume: Volume, payload: Payload | None) -> None:
        """Make a volume what it should be; what an earlier kubelet did is taken over.

        Raises:
            VolumeError: it cannot be as its spec says.
            OSError: the kernel refused.
        """
        source, group = volume.volumeSource, fs_group_of(pod)
        plugin = plugin_of(volume)
        if plugin == HOST_PATH:
            check_host_path(source.hostPath)
            return
        folder = self._layout.volume(pod.metadata.uid, plugin, volume.name)
        self._layout.make_above(folder)
        if plugin == EMPTY_DIR:
            set_up_empty_dir(folder, source.emptyDir, memory_bytes(pod, source.emptyDir), group, self._mounter)
            return
        folder.mkdir(exist_ok=True)
        if plugin in IN_MEMORY:
            self._mounter.mount_tmpfs(folder, "mode=0755")
        folder.chmod(_FILES_MODE)
        if group is not None:
            give_folder_to_group(folder, group, is_writable=False)
        write_files(folder, {} if payload is None else payload, group)

    def bind_sub_path(self, pod: Pod, volume: Volume, path: str, container: str, number: int) -> Path:
        """Have a part of a volume at a place of its own; returns the place.

        Raises:
            VolumeError: the path leads out of the volume, or cannot be had.
        """
        place = self._layout.sub_path(pod.metadata.uid, volume.name, container, number)
        try:
            self._layout.make_above(place)
            bind_sub_path(self.place_of(pod, volume), path, place, self._mounter)
        except OSError as error:
            raise VolumeError(f'volume "{volume.name}", subPath {path!r}: {error.strerror}') from None
        return place

    def remove(self, pod_uid: str) -> None:
        """End all mounts in a pod's folder, then remove it.

        Raises:
            VolumeError: something is still mounted, or cannot be removed.
        """
        folder = self._layout.pod(pod_uid)
        try:
            # The last first: a mount may lie in another one.
            for place in reversed(self._mounter.below(folder)):
                self._mounter.unmount(place)
            left = self._mounter.below(folder)
            if left:
                raise VolumeError(f"volumes of pod {pod_uid}: still mounted at {left[0]}")
            remove_tree(folder)
        except ForeignMount as error:
            raise VolumeError(f"volumes of pod {pod_uid}: {error}") from None
        except OSError as error:
            raise VolumeError(f"volumes of pod {pod_uid}: {error.strerror}: {error.filename}") from None
