"""The node's object: made at the first start, taken over at later ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node, Taint
from kubewire.component.errors import ConfigError
from kubewire.kubelet.config import KubeletConfig

SIMULATED: Final = "kubewire.io/simulated"
"""Annotation of a node on which nothing really runs."""
_EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def labels_of(config: KubeletConfig, name: str, architecture: str) -> Mapping[str, str]:
    """The labels of the node.

    Raises:
        ConfigError: one is not written as name=value.
    """
    found = {
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": architecture,
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    for text in config.node_labels:
        key, separator, value = text.partition("=")
        if not key or not separator:
            raise ConfigError(f"node_labels: want name=value, got {text!r}")
        found[key] = value
    return found


def taints_of(config: KubeletConfig) -> list[Taint]:
    """The taints a node registers with.

    Raises:
        ConfigError: one is not written as key=value:effect.
    """
    found = []
    for text in config.register_with_taints:
        pair, _, effect = text.rpartition(":")
        key, _, value = pair.partition("=")
        if not key or effect not in _EFFECTS:
            raise ConfigError(f"register_with_taints: want key=value:effect ({', '.join(_EFFECTS)}), got {text!r}")
        taint = Taint(key=key, effect=effect)
        if value:
            taint.value = value
        found.append(taint)
    return found


def first_node(name: str, labels: Mapping[str, str], taints: list[Taint], *, is_simulated: bool) -> Node:
    """The object of a node that is not known yet."""
    node = Node()
    node.metadata.name = name
    node.metadata.labels.update(labels)
    if is_simulated:
        node.metadata.annotations[SIMULATED] = "true"
    node.spec.taints.extend(taints)
    return node


def taken_over(node: Node, labels: Mapping[str, str]) -> Node | None:
    """A known node with our labels; None if it has them. Taints and the rest are whoever's set them meanwhile."""
    if all(node.metadata.labels.get(name) == value for name, value in labels.items()):
        return None
    changed = Node()
    changed.CopyFrom(node)
    changed.metadata.labels.update(labels)
    return changed
