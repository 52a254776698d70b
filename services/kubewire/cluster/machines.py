"""The machines that a cluster's nodes are, before anything runs on them: made, completed, and told what to run.

With containerd they are network namespaces on a fabric of their own; simulated nodes need nothing of the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.home import Home
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.wanted import CONTAINERD, Settings

if TYPE_CHECKING:
    from kubewire.cluster.nodes.place import Fabric, NodePlace

ROLE = "containerd"


class Machines:
    """The fabric and the places of a cluster's nodes; neither exists where nodes are simulated."""

    def __init__(self, fabric: Fabric | None, places: Sequence[NodePlace]) -> None:
        self.fabric = fabric
        self.places = places

    def containerds(self) -> list[Component]:
        """The process of each node's containerd, with its configuration written.

        Raises:
            MissingProgram: containerd, runc or a CNI plugin is not installed.
        """
        from kubewire.cluster.nodes.containerd import Containerd  # noqa: PLC0415  # where there are such nodes only

        return [_containerd(place, Containerd(place).prepare()) for place in self.places]

    def import_images(self) -> None:
        """Put the images that a cluster brings along into every node's containerd, which must serve.

        Raises:
            MissingProgram: there is no static busybox.
            StartFailed: a containerd refused.
        """
        import asyncio  # noqa: PLC0415  # commands that need none of it start faster without

        from kubewire.cluster.images.builtin import build  # noqa: PLC0415  # likewise
        from kubewire.cluster.images.store import import_images  # noqa: PLC0415  # likewise

        async def everywhere() -> None:
            images = build()
            async with asyncio.TaskGroup() as group:
                for place in self.places:
                    group.create_task(import_images(place.endpoint, images))

        asyncio.run(everywhere())


def make(home: Home, settings: Settings) -> Machines:
    """Make what is missing of the fabric and of each node's place.

    Raises:
        InvalidRequest, MissingProgram, StartFailed: it cannot be made here.
    """
    if settings.runtime != CONTAINERD:
        return Machines(None, ())
    from kubewire.cluster.nodes import egress  # noqa: PLC0415  # where there are such nodes only
    from kubewire.cluster.nodes.fabric import create_fabric  # noqa: PLC0415  # likewise
    from kubewire.cluster.nodes.node import create_node  # noqa: PLC0415  # likewise

    fabric = create_fabric(home)
    if settings.egress:
        egress.open_(fabric)
    else:
        egress.close(fabric.cluster)
    places = [create_node(fabric, name, index) for index, name in enumerate(settings.nodes, start=1)]
    return Machines(fabric, places)


def entering(home: Home, node: str) -> list[str]:
    """The words before a command that make it run in a node's network.

    Raises:
        InvalidRequest: there is no such node, or it has no network of its own.
    """
    from kubewire.cluster.nodes.place import read_fabric, read_places  # noqa: PLC0415  # where there are such nodes only
    from kubewire.cluster.nodes.programs import enter  # noqa: PLC0415  # likewise

    fabric = read_fabric(home)
    places = {} if fabric is None else {place.name: place for place in read_places(fabric)}
    if node not in places:
        there = ", ".join(places) or "none: nodes have networks with --runtime containerd alone"
        raise InvalidRequest(f"--node {node}: no such node; there are {there}")
    return enter(places[node].namespace)


def unmake(home: Home) -> None:
    """Take everything of them off the machine; does nothing where there was never a node with containers.

    Raises:
        StartFailed: a process does not end, or the rules on the host cannot be removed.
    """
    from kubewire.cluster.nodes.place import read_fabric  # noqa: PLC0415  # where there may be such nodes only

    if read_fabric(home) is None:
        return
    from kubewire.cluster.nodes.removal import remove_all  # noqa: PLC0415  # likewise

    remove_all(home)


def _containerd(place: NodePlace, command: Sequence[str]) -> Component:
    folder = place.fabric.home.path
    stale = (place.socket, place.socket.with_suffix(".ttrpc"))
    return Component(f"{place.name}/{ROLE}", tuple(command), tuple(str(one.relative_to(folder)) for one in stale))
