"""The main job with grpcurl instead of kubectl: every service is asked by its own name, without proto files."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

from tests.cluster_commands import BIN, Cluster, eventually
from tests.e2e.cluster.web import EXAMPLES


class Caller:
    """grpcurl with the admin's credentials."""

    def __init__(self, cluster: Cluster, grpc: str) -> None:
        self.cluster = cluster
        self.grpc = grpc
        self.pki = cluster.home / "pki"
        token = (cluster.home / "token").read_text().strip()
        self.flags = (str(BIN / "grpcurl"), "-cacert", str(self.pki / "ca.crt"), "-H", f"Authorization: Bearer {token}")

    def call(self, method: str, request: str) -> str:
        """The answer of the API server."""
        command = [*self.flags, "-d", request, self.grpc, method]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def watch(self, method: str, request: str, to: Path) -> subprocess.Popen[bytes]:
        """A stream whose messages go to a file."""
        with to.open("wb") as out:
            return subprocess.Popen([*self.flags, "-d", request, self.grpc, method], stdout=out, stderr=out)

    def kubelet(self, method: str) -> str:
        """The answer of node-1's kubelet, which wants a certificate of the cluster."""
        own = ("-cert", str(self.pki / "admin.crt"), "-key", str(self.pki / "admin.key"))
        nodes = json.loads(self.cluster.run("status", "-o", "json").stdout)["nodes"]
        command = [*self.flags[:3], *own, f"{nodes['node-1']['address']}:10350", f"kubewire.kubelet.v1.{method}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


def test_replica_set_by_grpc(containers_cluster: Cluster, tmp_path: Path) -> None:
    """A converted manifest makes the pods, a stream shows them come up, and every component tells of its part."""
    cluster = containers_cluster
    answer = cluster.up()
    caller = Caller(cluster, answer["grpc"])
    seen = tmp_path / "events"
    watch = caller.watch("kubewire.rpc.core.v1.PodService/WatchPods", '{"namespace": "default"}', seen)
    try:
        time.sleep(1)
        manifest = str(EXAMPLES / "replicaset.yaml")
        request = cluster.run("convert", "-f", manifest, "-o", "grpc-create").stdout
        caller.call("kubewire.rpc.apps.v1.ReplicaSetService/CreateReplicaSet", request)
        get = '{"namespace": "default", "name": "web"}'
        eventually(
            lambda: '"readyReplicas": 3' in caller.call("kubewire.rpc.apps.v1.ReplicaSetService/GetReplicaSet", get),
            "three replicas Ready",
        )
        eventually(lambda: '"phase": "Running"' in seen.read_text(), "the stream told of running pods")
    finally:
        watch.terminate()
        watch.wait()
    assert seen.read_text().count('"type": "ADDED"') == 3
    pods = json.loads(caller.kubelet("KubeletService/ListPods"))["pods"]
    assert [pod["ready"] for pod in pods] == [True] * 3
    plain = str(BIN / "grpcurl"), "-plaintext"
    status = cluster.run("enter", *plain, "127.0.0.1:10356", "kubewire.kube_proxy.v1.KubeProxyService/GetStatus")
    assert json.loads(status.stdout)["mode"] == "nftables"
    scheduler = cluster.state()["services"]["scheduler"]
    told = subprocess.run([*plain, scheduler, "list"], capture_output=True, text=True, timeout=60, check=True)
    assert "kubewire.scheduler.v1.SchedulerService" in told.stdout
