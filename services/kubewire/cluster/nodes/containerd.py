"""A node's containerd as a command: everything it needs is prepared here, and whoever supervises the cluster runs it.

Containers outlive it, because each has a shim; started again on the same data it finds them.
"""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

from kubewire.cluster.images.names import SANDBOX_IMAGE
from kubewire.cluster.nodes import cni, containerd_config, programs
from kubewire.cluster.nodes.containerd_config import Machine
from kubewire.cluster.nodes.place import NodePlace
from kubewire.component.files import write_private

_CAP_SYS_RESOURCE = 1 << 24


class Containerd:
    """One node's containerd."""

    def __init__(self, node: NodePlace) -> None:
        self.node = node

    def prepare(self) -> list[str]:
        """Write its configuration; the command that runs it, in the foreground and inside the node.

        Its environment needs the PATH that `programs.search_path` gives.

        Raises:
            MissingProgram: containerd, runc or a CNI plugin is not installed.
        """
        for program in ("containerd-shim-runc-v2", "runc", "iptables"):
            programs.find(program)
        self._forget_other_boots()
        content = containerd_config.render(self.node, inspect_machine(self.node.containerd), SANDBOX_IMAGE)
        configuration = self.node.containerd / "config.toml"
        write_private(configuration, content)
        return [*programs.enter(self.node.namespace), programs.find("containerd"), f"--config={configuration}"]

    def is_serving(self) -> bool:
        """Whether somebody answers on the socket. The CRI service may need a moment more to find its containers."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.node.socket))
            except OSError:
                return False
        return True

    def _forget_other_boots(self) -> None:
        """What containerd keeps of running containers means nothing after the machine was started anew."""
        marker, boot = self.node.containerd / "boot", Path("/proc/sys/kernel/random/boot_id").read_text()
        if not marker.exists() or marker.read_text() != boot:
            shutil.rmtree(self.node.containerd / "state", ignore_errors=True)
            marker.write_text(boot)


def inspect_machine(folder: Path) -> Machine:
    """What decides how containers can run whose data is in `folder`."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    may_lower = bool(int(status["CapEff"], 16) & _CAP_SYS_RESOURCE)
    kind = programs.run(["stat", "--file-system", "--format=%T", str(folder)]).strip()
    return Machine(may_lower, "native" if kind == "overlayfs" else "overlayfs", cni.find_plugins())
