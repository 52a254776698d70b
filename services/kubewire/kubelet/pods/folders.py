"""Where the kubelet keeps what belongs to containers: logs, messages of their ends, /etc/hosts.

<root>/logs/pods/<namespace>_<name>_<uid>/<container>/<attempt>.log    as CRI wants it
<root>/pods/<uid>/etc-hosts
<root>/pods/<uid>/containers/<container>/<id>                          message of an end
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.volumes.layout import Layout

_FOLDER_MODE: Final = 0o755
_MESSAGE_MODE: Final = 0o666
"""Whoever the container runs as must be able to write its message."""


class Folders:
    """Paths below one root, and what is done to them."""

    def __init__(self, root: Path) -> None:
        self._layout = Layout(root)
        self.logs: Final = root.resolve() / "logs" / "pods"

    def log_folder(self, identity: PodIdentity) -> Path:
        """The logs of a pod."""
        return self.logs / f"{identity.namespace}_{identity.name}_{identity.uid}"

    def make_log_folder(self, identity: PodIdentity, container: str = "") -> None:
        """Have a place for a container's logs; the runtime makes none."""
        (self.log_folder(identity) / container).mkdir(_FOLDER_MODE, parents=True, exist_ok=True)

    def log_file(self, identity: PodIdentity, container: str, attempt: int) -> Path:
        """The log of one container."""
        return self.log_folder(identity) / log_path(container, attempt)

    def write_hosts(self, uid: str, content: str) -> Path:
        """Write the pod's /etc/hosts. In place: containers that run have this very file mounted."""
        path = self._layout.pod(uid) / "etc-hosts"
        self._layout.make_above(path)
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
            path.chmod(0o644)
        return path

    def make_message_file(self, uid: str, container: str) -> Path:
        """An empty file for the message of a container that is to be made."""
        path = self._layout.pod(uid) / "containers" / container / secrets.token_hex(4)
        self._layout.make_above(path)
        path.touch()
        path.chmod(_MESSAGE_MODE)
        return path

    def remove_logs(self, identity: PodIdentity) -> None:
        """Remove all logs of a pod."""
        shutil.rmtree(self.log_folder(identity), ignore_errors=True)

    def remove_log(self, identity: PodIdentity, container: str, attempt: int) -> None:
        """Remove one log, and what rotation made of it."""
        for path in self.log_file(identity, container, attempt).parent.glob(f"{attempt}.log*"):
            path.unlink(missing_ok=True)

    def pods_with_logs(self) -> Iterator[PodIdentity]:
        """Pods that have logs, of former kubelets too."""
        if not self.logs.is_dir():
            return
        for entry in self.logs.iterdir():
            namespace, _, rest = entry.name.partition("_")
            name, _, uid = rest.rpartition("_")
            if uid:
                yield PodIdentity(uid, namespace, name)


def log_path(container: str, attempt: int) -> str:
    """A container's log below the pod's folder."""
    return f"{container}/{attempt}.log"
