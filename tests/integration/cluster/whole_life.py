"""A cluster's nodes from nothing to nothing, as a program that has the machine for itself (`tests.machine.alone`).

It prints snapshots as JSON: before, while pods run, and after the removal, with what the cluster says is left. The
argument says what happens in between: `orderly`, `forgotten` (all records in the home are lost) or `half` (the home is
as a crash in the middle of a removal left it).
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from kubewire.cluster.home import Home
from kubewire.cluster.images.builtin import build
from kubewire.cluster.images.store import import_images
from kubewire.cluster.nodes import cni, egress, leftovers, programs, removal
from kubewire.cluster.nodes.fabric import create_fabric
from kubewire.cluster.nodes.node import create_node
from kubewire.cluster.nodes.place import Fabric
from kubewire.cluster.nodes.routes import Router
from tests.containerd_process import ContainerdProcess
from tests.integration.cluster.pods import runtime_of
from tests.machine import snapshot


async def main(how: str) -> dict[str, object]:
    """The snapshots, and what is left at the end."""
    folder = Path(tempfile.mkdtemp(prefix="kw-"))
    home = Home(f"life-{os.getpid()}-{how}", folder)
    told: dict[str, object] = {"before": snapshot(home.name)}
    try:
        fabric = create_fabric(home)
        nodes = [await _start(fabric, index) for index in (1, 2)]
        Router(None, fabric.host_interface).sync({str(node.pods): node.address for node in nodes})
        egress.open_(fabric)
        await _run_pods(nodes)
        told |= {"during": snapshot(home.name), "leftovers_during": leftovers.leftovers(home)}
        _interfere(how, home, nodes)
        removal.remove_all(home)
        removal.remove_all(home)  # twice is harmless
        for node in nodes:
            node.kill()
        told |= {"after": snapshot(home.name), "leftovers": leftovers.leftovers(home)}
        told["home"] = _kept(folder)
    finally:
        removal.remove_all(home, wipe=True)
        shutil.rmtree(folder)
    return told


def _kept(folder: Path) -> list[str]:
    """The folders of a home that hold anything."""
    return sorted({path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()})


async def _start(fabric: Fabric, index: int) -> ContainerdProcess:
    place = create_node(fabric, f"node-{index}", index)
    node = ContainerdProcess(place)
    node.start()
    await import_images(node.endpoint, build())
    cni.configure(place, node.pods)
    return node


async def _run_pods(nodes: list[ContainerdProcess]) -> None:
    async with AsyncExitStack() as stack:
        runtimes = [await stack.enter_async_context(runtime_of(node)) for node in nodes]
        for runtime in runtimes:
            await runtime.wait_for_network()
            await runtime.run_pod("one")
            await runtime.run_pod("two")


def _interfere(how: str, home: Home, nodes: list[ContainerdProcess]) -> None:
    """What comes between the cluster and an orderly end."""
    if how == "forgotten":
        for record in (home.path / "fabric.json", *(node.node.record for node in nodes)):
            record.unlink()
    if how == "half":
        nodes[0].kill()
        nodes[1].node.record.unlink()
        programs.attempt(["ip", "netns", "delete", nodes[1].node.namespace])
        programs.attempt(["ip", "link", "delete", nodes[0].node.fabric.host_interface])


if __name__ == "__main__":
    Path("/proc/sys/net/ipv4/ip_forward").write_text("0")  # a namespace begins with what the machine has
    sys.stdout.write(json.dumps(asyncio.run(main(sys.argv[1]))))
