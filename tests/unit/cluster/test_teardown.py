"""The order in which a cluster ends."""

from __future__ import annotations

from kubewire.cluster.teardown import waves


def test_whoever_writes_ends_before_the_api_server_and_that_before_etcd() -> None:
    """Agents and controllers first, then the API server, then etcd; what is not there is left out."""
    apart = ["etcd", "apiserver", "controller-manager", "scheduler", "node-1/kubelet"]
    assert waves(apart) == [["controller-manager", "scheduler", "node-1/kubelet"], ["apiserver"], ["etcd"]]
    assert waves(["etcd", "control-plane"]) == [[], ["control-plane"], ["etcd"]]
