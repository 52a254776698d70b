"""Nodes of a local cluster against the real kernel and a real containerd."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from kubewire.cluster.images.builtin import DEMO_PORT, build
from kubewire.cluster.images.store import import_images
from kubewire.cluster.nodes import cni, removal
from kubewire.cluster.nodes.fabric import create_fabric
from kubewire.cluster.nodes.node import INTERFACE, create_node
from kubewire.cluster.nodes.place import read_fabric, read_places
from kubewire.cluster.nodes.routes import Router
from kubewire.cri.v1 import api_pb2 as cri
from tests.containerd_process import DEMO_IMAGE, ContainerdProcess, running_containerd, running_nodes
from tests.integration.cluster.pods import Pod, Runtime, runtime_of


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[ContainerdProcess]]:
    """Two nodes that know the way to each other's pods, and a host that knows both."""
    with running_nodes(2) as nodes:
        ways = {str(node.pods): node.address for node in nodes}
        for node in nodes:
            others = {pods: address for pods, address in ways.items() if address != node.address}
            Router(node.node.namespace, INTERFACE).sync(others)
        Router(None, nodes[0].node.fabric.host_interface).sync(ways)
        yield nodes


@pytest.fixture
async def runtimes(nodes: list[ContainerdProcess]) -> AsyncIterator[list[Runtime]]:
    """Their CRI services."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(runtime_of(node)) for node in nodes]


async def page(runtime: Runtime, client: Pod, address: str) -> str:
    """The page that a pod gets from an address; the server may need a moment to listen."""
    url = f"http://{address}:{DEMO_PORT}/"
    for _ in range(200):
        if told := (await runtime.exec(client.container, "wget", "-q", "-O", "-", url)).strip():
            return told
        await asyncio.sleep(0.02)
    pytest.fail(f"no page from {url}")


async def test_pods_reach_each_other(runtimes: list[Runtime]) -> None:
    """A pod fetches the page of a pod on its own node and of one on the other node, which see its own address."""
    one, two, three = [
        await runtime.run_pod(name)
        for runtime, name in zip([*runtimes, runtimes[0]], ("one", "two", "three"), strict=True)
    ]
    assert await page(runtimes[0], one, two.address) == "Hello from two"
    assert await page(runtimes[0], one, three.address) == "Hello from three"
    assert await page(runtimes[1], two, one.address) == "Hello from one"


async def test_pods_reach_the_host(nodes: list[ContainerdProcess], runtimes: list[Runtime]) -> None:
    """A pod connects to a server on the host's address in the fabric, and the server sees the node's address."""
    pod = await runtimes[0].run_pod("caller")
    with socket.create_server((nodes[0].host_address, 0)) as server:
        server.settimeout(10)
        port = server.getsockname()[1]
        call = runtimes[0].exec(pod.container, "nc", "-w", "5", nodes[0].host_address, str(port))
        accepted, told = await asyncio.gather(asyncio.to_thread(_greet, server), call)
    assert (accepted, told) == (nodes[0].address, "welcome")


def _greet(server: socket.socket) -> str:
    """Greet one caller and say who it was."""
    connection, peer = server.accept()
    with connection:
        connection.sendall(b"welcome")
    return str(peer[0])


async def test_host_reaches_pods(runtimes: list[Runtime]) -> None:
    """The host fetches a pod's page at the pod's own address."""
    pod = await runtimes[1].run_pod("served")
    await page(runtimes[1], pod, pod.address)
    reader, writer = await asyncio.open_connection(pod.address, DEMO_PORT)
    writer.write(b"GET / HTTP/1.0\r\n\r\n")
    assert (await reader.read()).endswith(b"Hello from served\n")
    writer.close()
    await writer.wait_closed()


async def test_containers_outlive_containerd(nodes: list[ContainerdProcess], runtimes: list[Runtime]) -> None:
    """containerd is killed and started again: the same containers run, and the page is still served."""
    pod = await runtimes[0].run_pod("survivor")
    nodes[0].kill()
    nodes[0].start()
    async with runtime_of(nodes[0]) as runtime:
        await runtime.wait_for_network()
        assert (await runtime.states())[pod.container] == cri.CONTAINER_RUNNING
        assert await page(runtime, pod, pod.address) == "Hello from survivor"


async def test_containers_end_when_asked(runtimes: list[Runtime]) -> None:
    """The demo ends by itself on SIGTERM, long before it would be killed."""
    pod = await runtimes[0].run_pod("polite")
    await page(runtimes[0], pod, pod.address)
    request = cri.StopContainerRequest(container_id=pod.container, timeout=600)
    await runtimes[0].runtime.StopContainer(request, timeout=30)
    status = await runtimes[0].runtime.ContainerStatus(
        cri.ContainerStatusRequest(container_id=pod.container), timeout=5
    )
    assert status.status.exit_code == 0


async def test_network_is_ready_when_the_node_has_a_range() -> None:
    """Without a range for its pods a node's runtime says that its network is not ready; with one it does soon."""
    with running_containerd(with_network=False, with_images=False) as node:
        async with runtime_of(node) as runtime:
            assert await runtime.condition("RuntimeReady")
            assert not await runtime.condition("NetworkReady")
            assert cni.configure(node.node, node.pods)
            await runtime.wait_for_network()
            assert not cni.configure(node.node, node.pods), "the same range is no change"


async def test_a_node_that_was_off_starts_again() -> None:
    """Switched off and on, a node has its images still, knows its pods as ended, and clears them away when told."""
    with running_containerd() as node:
        async with runtime_of(node) as runtime:
            old = await runtime.run_pod("pod")
        removal.remove_node(node.node.fabric.home, node.node.name)
        node.kill()
        create_node(node.node.fabric, node.node.name, node.node.index)
        cni.configure(node.node, node.pods)
        node.start()
        assert await import_images(node.endpoint, build()) == []
        async with runtime_of(node) as runtime:
            await runtime.wait_for_network()
            assert await runtime.states() == {old.container: cri.CONTAINER_EXITED}
            await runtime.remove_pod(old)
            again = await runtime.run_pod("pod")
            assert await page(runtime, again, again.address) == "Hello from pod"
            assert list(await runtime.states()) == [again.container]


async def test_without_bridge_netfilter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the kernel does not show bridged packets to rules, pods of a node reach each other all the same."""
    monkeypatch.setattr(cni, "_BRIDGE_NETFILTER", Path("/nowhere"))
    with running_containerd() as node:
        async with runtime_of(node) as runtime:
            one, two = await runtime.run_pod("one"), await runtime.run_pod("two")
            assert await page(runtime, one, two.address) == "Hello from two"
            assert await page(runtime, one, one.address) == "Hello from one"


async def test_images_are_imported_once(nodes: list[ContainerdProcess]) -> None:
    """What is there with the same digest is left alone; what is there under the name with another is replaced."""
    demo = next(image for image in build() if image.name == DEMO_IMAGE)
    other = type(demo)(demo.name, demo.layers, ("/bin/false",), demo.environment)
    assert await import_images(nodes[1].endpoint, [demo]) == []
    assert await import_images(nodes[1].endpoint, [other]) == [DEMO_IMAGE]
    assert await import_images(nodes[1].endpoint, [demo]) == [DEMO_IMAGE]


def test_archives_are_read(nodes: list[ContainerdProcess], tmp_path: Path) -> None:
    """The images as files are what containerd's own tool imports, under the same names and digests."""
    saved = subprocess.run(
        [sys.executable, "-m", "kubewire.cluster.images", "--save", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
    )
    ctr = ["ctr", "--address", str(nodes[0].socket), "--namespace", "archives", "images"]
    for file in saved.stdout.split():
        subprocess.run([*ctr, "import", file], check=True, capture_output=True)
    listed = subprocess.run([*ctr, "ls"], check=True, capture_output=True, text=True).stdout
    for image in build():
        assert any(image.name in line and image.manifest.digest in line for line in listed.splitlines())


def test_nodes_are_made_once(nodes: list[ContainerdProcess]) -> None:
    """Making a fabric and a node again changes nothing, and the records say the same."""
    place = nodes[0].node
    assert create_fabric(place.fabric.home) == place.fabric == read_fabric(place.fabric.home)
    assert create_node(place.fabric, place.name, place.index) == place
    assert read_places(place.fabric) == [node.node for node in nodes]


def test_routes_follow(nodes: list[ContainerdProcess]) -> None:
    """Routes are added, changed and taken away, and a second time there is nothing to do."""
    router = Router(nodes[1].node.namespace, INTERFACE)
    present = router.read()
    wanted = present | {"10.200.9.0/24": nodes[0].address}
    assert [router.sync(wanted), router.sync(wanted), router.read() == wanted] == [1, 0, True]
    assert [router.sync(present), router.read() == present] == [1, True]
