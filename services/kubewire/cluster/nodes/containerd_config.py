"""What a node's containerd is told.

Everything that containerd would share with another one on the machine is put into the node's own folder; what it
would load and a node never uses is left out, because it starts faster so.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from kubewire.cluster.nodes.place import NodePlace

Value = str | int | bool | list[str] | Mapping[str, "Value"]

_CRI = "io.containerd.grpc.v1.cri"
_UNUSED = [
    "io.containerd.internal.v1.opt",  # makes /opt/containerd
    "io.containerd.internal.v1.restart",
    "io.containerd.internal.v1.tracing",
    "io.containerd.tracing.processor.v1.otlp",
    "io.containerd.monitor.v1.cgroups",
    *(f"io.containerd.snapshotter.v1.{name}" for name in ("aufs", "btrfs", "devmapper", "zfs")),
]


@dataclass(frozen=True, slots=True)
class Machine:
    """What of the machine decides how containers can run."""

    may_lower_oom_score: bool
    """Whether there is CAP_SYS_RESOURCE; without it runc dies on any negative oom_score_adj."""
    snapshotter: str
    """`overlayfs`, or `native` where the home itself is on an overlay."""
    plugins: str
    """The folder of the CNI plugins."""


def render(node: NodePlace, machine: Machine, sandbox_image: str) -> bytes:
    """The configuration file (TOML)."""
    state = node.containerd / "state"
    runc: Mapping[str, Value] = {
        "runtime_type": "io.containerd.runc.v2",
        "options": {"Root": str(state / "runc"), "SystemdCgroup": False},
    }
    cri: Mapping[str, Value] = {
        "sandbox_image": sandbox_image,
        "restrict_oom_score_adj": not machine.may_lower_oom_score,
        "netns_mounts_under_state_dir": True,
        "enable_unprivileged_ports": True,
        "enable_unprivileged_icmp": True,
        "cni": {"bin_dir": machine.plugins, "conf_dir": str(node.cni_configuration)},
        "registry": {"config_path": str(node.containerd / "registries")},
        "containerd": {"snapshotter": machine.snapshotter, "runtimes": {"runc": runc}},
    }
    return _toml(
        {
            "version": 2,
            "root": str(node.containerd / "root"),
            "state": str(state),
            "disabled_plugins": _UNUSED,
            "grpc": {"address": str(node.socket)},
            "ttrpc": {"address": str(node.socket.with_suffix(".ttrpc"))},
            "plugins": {_CRI: cri},
        }
    ).encode()


def _toml(table: Mapping[str, Value], path: str = "") -> str:
    """A table and those below it. JSON's texts and lists of texts are TOML's too."""
    plain = [f"{_key(key)} = {json.dumps(value)}" for key, value in table.items() if not isinstance(value, Mapping)]
    head = [f"[{path}]"] if path and plain else []
    below = [
        _toml(value, f"{path}.{_key(key)}" if path else _key(key))
        for key, value in table.items()
        if isinstance(value, Mapping)
    ]
    return "\n".join([*head, *plain, ""]) + "".join(below)


def _key(key: str) -> str:
    return key if key.replace("_", "").isalnum() else json.dumps(key)
