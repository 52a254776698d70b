"""Where things of a pod lie below the kubelet's root, under upstream's names.

<root>/pods/<uid>/volumes/kubernetes.io~<plugin>/<volume>
<root>/pods/<uid>/volume-subpaths/<volume>/<container>/<number of the mount>
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o750
"""Folders above volumes are the kubelet's: containers reach volumes by mounts, other users of the node not at all."""

EMPTY_DIR: Final = "empty-dir"
CONFIG_MAP: Final = "configmap"
SECRET: Final = "secret"  # noqa: S105 - the name of a plugin
PROJECTED: Final = "projected"
DOWNWARD_API: Final = "downward-api"
HOST_PATH: Final = "host-path"


class Layout:
    """Paths below one root. The root is taken without symlinks: the kernel tells of mounts by their true paths."""

    def __init__(self, root: Path) -> None:
        self.pods: Final = root.resolve() / "pods"

    def pod(self, uid: str) -> Path:
        """The folder of a pod.

        Raises:
            ValueError: the uid is no name of a folder; it would lead elsewhere.
        """
        if not uid or "/" in uid or uid in {".", ".."}:
            raise ValueError(f"{uid!r} is no uid of a pod")
        return self.pods / uid

    def volume(self, uid: str, plugin: str, name: str) -> Path:
        """The folder of a volume."""
        return self.pod(uid) / "volumes" / f"kubernetes.io~{plugin}" / name

    def sub_path(self, uid: str, volume: str, container: str, number: int) -> Path:
        """Where a part of a volume is bound, for one mount of a container."""
        return self.pod(uid) / "volume-subpaths" / volume / container / str(number)

    def make_above(self, folder: Path) -> None:
        """Make the folders above one, for the kubelet alone."""
        for above in reversed(folder.parents):
            if above == self.pods or self.pods in above.parents:
                above.mkdir(FOLDER_MODE, parents=above == self.pods, exist_ok=True)

    def known(self) -> set[str]:
        """Uids of pods that have a folder."""
        try:
            return {entry.name for entry in self.pods.iterdir() if entry.is_dir()}
        except FileNotFoundError:
            return set()
