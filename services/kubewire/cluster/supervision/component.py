"""One process of a cluster as it is wanted: its name, its command, and whether somebody stopped it on purpose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """One process.

    Attributes:
        name: `etcd`, `apiserver`, `node-1/kubelet`; its log is `logs/<name>.log`.
        command: program and arguments; it runs in the cluster's folder.
        stale: files below the folder that a killed predecessor leaves behind and that would be in its way.
        is_stopped: it is not to run, until somebody starts it again.
    """

    name: str
    command: tuple[str, ...]
    stale: tuple[str, ...] = ()
    is_stopped: bool = False

    @property
    def role(self) -> str:
        """What it is, without the node: `kubelet` of `node-1/kubelet`."""
        return self.name.rpartition("/")[2]

    @property
    def node(self) -> str:
        """The node it belongs to; empty for the control plane's."""
        return self.name.rpartition("/")[0]
