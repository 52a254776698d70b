"""Who is a node: kubelets call as `system:node:<name>` and belong to `system:nodes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Identity

USER_PREFIX: Final = "system:node:"
GROUP: Final = "system:nodes"


def is_node(identity: Identity) -> bool:
    """Whether a caller is some node's kubelet."""
    return GROUP in identity.groups and identity.name.startswith(USER_PREFIX)


def node_of(identity: Identity) -> str:
    """The name of the node a caller is; empty for everybody else."""
    return identity.name.removeprefix(USER_PREFIX) if is_node(identity) else ""
