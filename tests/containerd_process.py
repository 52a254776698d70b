"""A real containerd of a test's own: in a network namespace of its own, with the built images in it, and removed whole.

It is a node as `kubewire up` makes them, on a fabric of its own: the host has an address on it (`host_address`), pods
have a network (10.x.1.0/24 of the cluster's), and everything - containers, mounts, cgroups, namespaces, interfaces,
files - is gone when the block is left, however it is left. It needs root, containerd, runc and the CNI plugins.
"""

import ipaddress
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import pytest

from kubewire.cluster.errors import ClusterError
from kubewire.cluster.home import Home
from kubewire.cluster.images.names import DEMO_IMAGE, SANDBOX_IMAGE
from kubewire.cluster.nodes import cni, removal
from kubewire.cluster.nodes.containerd import Containerd
from kubewire.cluster.nodes.fabric import create_fabric
from kubewire.cluster.nodes.names import host_interface
from kubewire.cluster.nodes.node import create_node
from kubewire.cluster.nodes.place import NETWORK_NAMESPACES, NodePlace
from kubewire.cluster.nodes.programs import enter, ip_json, search_path
from kubewire.cluster.processes import identify

__all__ = ["DEMO_IMAGE", "SANDBOX_IMAGE", "ContainerdProcess", "running_containerd", "running_nodes"]

START_SECONDS: Final = 30.0
_ABANDONED: Final = re.compile(r"kubewire-(?P<cluster>test-(?P<pid>\d+)-\d+)")
_numbers = itertools.count(1)


@dataclass
class ContainerdProcess:
    """One node with its containerd."""

    node: NodePlace
    process: subprocess.Popen[bytes] | None = None

    @property
    def socket(self) -> Path:
        """Where it listens, for CRI and containerd's own API."""
        return self.node.socket

    @property
    def endpoint(self) -> str:
        """The same as gRPC takes it: `unix:///...`."""
        return self.node.endpoint

    @property
    def address(self) -> str:
        """The node's address; the host reaches it."""
        return self.node.address

    @property
    def host_address(self) -> str:
        """The host's address, as the node and its pods reach it."""
        return self.node.fabric.host_address

    @property
    def cgroup_parent(self) -> str:
        """What a sandbox's `linux.cgroup_parent` has to begin with, so that its cgroups are removed."""
        return self.node.cgroup

    @property
    def pods(self) -> ipaddress.IPv4Network:
        """The node's podCIDR."""
        return list(self.node.fabric.networks.pods.subnets(new_prefix=24))[self.node.index]

    def inside(self, *command: str) -> list[str]:
        """A command as it has to be started to run in the node's network."""
        return [*enter(self.node.namespace), *command]

    def start(self) -> None:
        """Start containerd, or start it again on the same data; returns when its CRI service answers."""
        command = Containerd(self.node).prepare()
        environment = os.environ | {"PATH": search_path()}
        with self.node.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while not self._is_answering():
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"containerd does not serve:\n{self.node.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.005)

    def kill(self) -> None:
        """End containerd at once, as a crash does; its containers run on."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask containerd to end, and wait until it did; its containers run on."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(START_SECONDS)
            self.process = None

    def _is_answering(self) -> bool:
        if not Containerd(self.node).is_serving():
            return False
        with grpc.insecure_channel(self.endpoint) as channel:
            status: grpc.UnaryUnaryMultiCallable[bytes, bytes]
            status = channel.unary_unary("/runtime.v1.RuntimeService/Status")
            try:
                status(b"", timeout=START_SECONDS)
            except grpc.RpcError:
                return False
        return True


@contextmanager
def running_containerd(*, with_network: bool = True, with_images: bool = True) -> Iterator[ContainerdProcess]:
    """One node, as `running_nodes` makes them."""
    with running_nodes(1, with_network=with_network, with_images=with_images) as nodes:
        yield nodes[0]


@contextmanager
def running_nodes(
    count: int, *, with_network: bool = True, with_images: bool = True
) -> Iterator[list[ContainerdProcess]]:
    """`count` nodes on one fabric, each with a containerd that serves and knows `SANDBOX_IMAGE` and `DEMO_IMAGE`.

    Without network, no CNI configuration is written: the runtime says that its network is not ready.
    """
    if os.geteuid() != 0:
        pytest.fail("this test needs root: it makes network namespaces and runs containers")
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix="kw-"))
    home = Home(f"test-{os.getpid()}-{next(_numbers)}", folder)
    nodes: list[ContainerdProcess] = []
    try:
        fabric = create_fabric(home)
        for index in range(1, count + 1):
            node = create_node(fabric, f"node-{index}", index)
            nodes.append(ContainerdProcess(node))
            if with_network:
                cni.configure(node, nodes[-1].pods)
            nodes[-1].start()
        if with_images:
            _import_images(nodes)
        yield nodes
    except ClusterError as error:
        pytest.fail(f"this test needs a working containerd: {error}")
    finally:
        for started in nodes:
            started.kill()
        removal.remove_all(home, wipe=True)
        shutil.rmtree(folder)


def _remove_abandoned() -> None:
    """Remove what killed tests have left: their processes are gone, and links tell where their homes are."""
    aliases = {str(row["ifname"]): str(row.get("ifalias", "")) for row in ip_json(["link", "show"])}
    for namespace in NETWORK_NAMESPACES.glob("kubewire-test-*"):
        found = _ABANDONED.fullmatch(namespace.name)
        if found is None or identify(int(found["pid"])) is not None:
            continue
        home = Path(aliases.get(host_interface(found["cluster"])) or f"/nowhere/{found['cluster']}")
        removal.remove_all(Home(found["cluster"], home), wipe=True)
        shutil.rmtree(home, ignore_errors=True)


def _import_images(nodes: list[ContainerdProcess]) -> None:
    """In a process of its own: the test's event loop, if it has one, is its own affair."""
    command = [sys.executable, "-m", "kubewire.cluster.images", *(node.endpoint for node in nodes)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    if done.returncode:
        pytest.fail(f"images cannot be imported: {done.stderr}")
