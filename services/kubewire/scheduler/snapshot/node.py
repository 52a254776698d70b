"""A node as the scheduler keeps it. Two are equal if a change from one to the other decides nothing."""

from __future__ import annotations

from typing import NamedTuple

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.scheduler.pods.amounts import amount_of, with_tag


class Taint(NamedTuple):
    """What keeps pods away that do not tolerate it."""

    key: str
    value: str
    effect: str


class NodeInfo(NamedTuple):
    """What a node offers and says about itself; sorted, so that equal nodes compare equal."""

    name: str
    allocatable: tuple[tuple[str, int], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[Taint, ...] = ()
    is_unschedulable: bool = False
    images: tuple[tuple[str, int], ...] = ()


def node_info(node: Node) -> NodeInfo:
    """From the API's message."""
    spec, status = node.spec, node.status
    images = {with_tag(name): image.sizeBytes for image in status.images for name in image.names}
    return NodeInfo(
        node.metadata.name,
        tuple(sorted((name, amount_of(name, value)) for name, value in status.allocatable.items())),
        tuple(sorted(node.metadata.labels.items())),
        tuple(Taint(one.key, one.value, one.effect) for one in spec.taints),
        spec.unschedulable,
        tuple(sorted(images.items())),
    )
