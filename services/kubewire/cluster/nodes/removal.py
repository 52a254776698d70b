"""Taking a cluster's nodes and fabric off the machine, whole or half made, recorded or not.

Everything is found by the cluster's name and home, not by what a record says, so that a crash at any moment is
removed like anything else. Removing twice is harmless.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from kubewire.cluster.home import Home
from kubewire.cluster.nodes import egress, kernel_state, names, place, programs, tenants
from kubewire.cluster.nodes.place import NETWORK_NAMESPACES
from kubewire.cluster.nodes.programs import one_at_a_time
from kubewire.cluster.nodes.tenants import Premises

# Places that containerd 1.6 and the CNI library have built in.
_SHIM_SOCKETS = Path("/run/containerd/s")
_CNI_CACHE = Path("/var/lib/cni/results")
_BUNDLES = "containerd/state/io.containerd.runtime.v2.task/k8s.io"


def remove_node(home: Home, node: str, *, wipe: bool = False) -> None:
    """Switch a node off and take it out of the kernel.

    Its folder stays as a disk would, without what says what ran; with `wipe` it goes too.

    Raises:
        StartFailed: a process does not end.
    """
    _remove_nodes(home, [node], wipe=wipe)


def _remove_nodes(home: Home, nodes: Sequence[str], *, wipe: bool) -> None:
    """End all their processes together, then take away each node. What only its processes tell is asked before."""
    places = [premises(home, node) for node in nodes]
    foreign = [*_sockets(places), *(path for node in nodes for path in _noted(home, node))]
    tenants.evict(places)
    for path in foreign:
        path.unlink(missing_ok=True)
    for node in nodes:
        _clear(home, node, wipe=wipe)


def _clear(home: Home, node: str, *, wipe: bool) -> None:
    """Take a node out of the kernel whose processes have ended. What says that it was there goes last."""
    folder = home.path / "nodes" / node
    kernel_state.unmount_below(folder)
    kernel_state.remove_cgroups(names.node_cgroup(home.name, node))
    for bundle in _folders(folder / _BUNDLES):
        _remove_own_cgroup(bundle)
    for cached in cached_networks(home, node):
        cached.unlink(missing_ok=True)
    _remove_namespace(names.node_namespace(home.name, node))
    shutil.rmtree(folder if wipe else folder / "containerd" / "state", ignore_errors=True)
    shutil.rmtree(folder / "cni", ignore_errors=True)
    (folder / "place.json").unlink(missing_ok=True)


def _remove_empty_folders() -> None:
    """Those that containerd and the CNI library make for all nodes of the machine."""
    for folder in (_SHIM_SOCKETS, _SHIM_SOCKETS.parent, _CNI_CACHE, _CNI_CACHE.parent):
        with suppress(OSError):  # others' files are in it
            folder.rmdir()


def remove_fabric(home: Home) -> None:
    """Take what joins the nodes off the machine, and what lets them out. Its nodes must be gone.

    Raises:
        StartFailed: the rules on the host cannot be removed.
    """
    egress.close(home.name)
    programs.attempt(["ip", "link", "delete", names.host_interface(home.name)])
    _remove_namespace(names.fabric_namespace(home.name))
    kernel_state.remove_empty_cgroup(names.cluster_cgroup(home.name))
    kernel_state.remove_empty_cgroup(str(Path(names.cluster_cgroup(home.name)).parent))
    with one_at_a_time():
        _unmount_namespace_folder()
        _remove_empty_folders()
    shutil.rmtree(home.path / "run", ignore_errors=True)
    place.forget_fabric(home)


def remove_all(home: Home, *, wipe: bool = False) -> None:
    """Every node that the home or the machine knows of, then the fabric.

    Raises:
        StartFailed: a process does not end, or the rules on the host cannot be removed.
    """
    _remove_nodes(home, known_nodes(home), wipe=wipe)
    remove_fabric(home)


def known_nodes(home: Home) -> list[str]:
    """Names of nodes of which there is anything: a folder, a namespace, a cgroup."""
    prefix = f"{names.fabric_namespace(home.name)}."
    found = {name.removeprefix(prefix) for name in _entries(NETWORK_NAMESPACES) if name.startswith(prefix)}
    found |= set(_entries(home.path / "nodes"))
    for root in kernel_state.cgroup_roots():
        cgroup = root / names.cluster_cgroup(home.name).lstrip("/")
        found |= {entry.name for entry in _folders(cgroup)}
    return sorted(found)


def cached_networks(home: Home, node: str = "") -> list[Path]:
    """What the CNI library has noted about pods of a node, or of all nodes: whatever names a path of theirs.

    Not all of it has the name of their network: every pod's loopback device is of one and the same.
    """
    mark = os.fsencode(home.path / "nodes" / node) + (b"/" if node else b"")
    return [path for name in _entries(_CNI_CACHE) if mark in _content(path := _CNI_CACHE / name)]


def premises(home: Home, node: str) -> Premises:
    """By what a node's processes are known."""
    path = NETWORK_NAMESPACES / names.node_namespace(home.name, node)
    namespace = f"net:[{path.stat().st_ino}]" if path.exists() else ""
    return Premises(namespace, str(home.path / "nodes" / node), names.node_cgroup(home.name, node))


def _sockets(places: Sequence[Premises]) -> list[Path]:
    """Where shims that run listen: containerd 1.6 has them do so outside of the node's folder."""
    shims = [one for one in tenants.select(tenants.survey(), places, os.getpid()) if one.name == tenants.SHIM]
    listening = {one.namespace: Path("/proc", str(one.pid), "net", "unix") for one in shims}
    lines = [line.split() for table in listening.values() for line in _content(table).decode().splitlines()]
    return [path for words in lines if (path := Path(words[-1])).parent == _SHIM_SOCKETS]


def _noted(home: Home, node: str) -> list[Path]:
    """The same as containerd has noted it, for shims that have ended since."""
    noted = [_content(bundle / "address").decode() for bundle in _folders(home.path / "nodes" / node / _BUNDLES)]
    return [
        Path(address.removeprefix("unix://")) for address in noted if address.startswith(f"unix://{_SHIM_SOCKETS}/")
    ]


def _remove_own_cgroup(bundle: Path) -> None:
    with suppress(OSError, ValueError, KeyError):
        path = json.loads((bundle / "config.json").read_bytes())["linux"]["cgroupsPath"]
        if Path(path).name == bundle.name:
            kernel_state.remove_cgroups(path)
            kernel_state.remove_empty_cgroup(str(Path(path).parent))


def _remove_namespace(name: str) -> None:
    if (NETWORK_NAMESPACES / name).exists():
        programs.attempt(["ip", "netns", "delete", name])
        with suppress(OSError):
            (NETWORK_NAMESPACES / name).unlink(missing_ok=True)


def _unmount_namespace_folder() -> None:
    """`ip netns` mounts its folder onto itself when it makes the first namespace, and does so again after this."""
    if NETWORK_NAMESPACES.exists() and not _entries(NETWORK_NAMESPACES):
        if kernel_state.mounts_below(NETWORK_NAMESPACES):
            programs.attempt(["umount", str(NETWORK_NAMESPACES)])  # not lazily: somebody may be making one just now
        with suppress(OSError):
            NETWORK_NAMESPACES.rmdir()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _entries(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  # names alone
    except OSError:
        return []


def _folders(folder: Path) -> list[Path]:
    return [folder / name for name in _entries(folder) if (folder / name).is_dir()]
