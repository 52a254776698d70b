"""Which components a command means."""

from __future__ import annotations

import pytest

from kubewire.cluster.control import selected
from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.wanted import Settings, Wanted


def cluster(processes: str, *names: str) -> Wanted:
    """A cluster with components of these names."""
    settings = Settings("dev", "none", processes, (), "", "", "", "")
    return Wanted(settings, tuple(Component(name, ()) for name in names))


def test_a_role_is_on_every_node_or_on_one() -> None:
    """Without a node all of a role are meant."""
    apart = cluster("apart", "scheduler", "node-1/kubelet", "node-2/kubelet")
    assert selected(apart, "kubelet", None) == ["node-1/kubelet", "node-2/kubelet"]
    assert selected(apart, "kubelet", "node-2") == ["node-2/kubelet"]
    assert selected(apart, "scheduler", None) == ["scheduler"]


def test_what_is_not_there_is_refused_with_what_is() -> None:
    """The message lists the roles, and says how to get at components that share a process."""
    with pytest.raises(InvalidRequest, match="no process etcd on node node-1; there are scheduler"):
        selected(cluster("apart", "scheduler"), "etcd", "node-1")
    with pytest.raises(InvalidRequest, match="use --processes apart"):
        selected(cluster("together", "control-plane"), "scheduler", None)
