"""`kubewire up`, `status`, `down` as users type them, with real processes that are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster_commands import Cluster, eventually, is_alive, without


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A cluster that does not run yet; ended afterwards."""
    made = Cluster(tmp_path / "home")
    yield made
    made.run("down", "--purge")


def test_up_twice_is_one_cluster(cluster: Cluster) -> None:
    """A second `up` says how to reach what runs, and starts nothing."""
    first = cluster.up()
    pids = cluster.pids()
    assert cluster.up() == first
    assert cluster.pids() == pids


def test_objects_outlive_down(cluster: Cluster) -> None:
    """`down` keeps what the cluster holds, and the next `up` serves it to the same kubeconfig's user."""
    cluster.up()
    cluster.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    assert cluster.run("down").returncode == 0
    cluster.up()
    assert cluster.kubectl("get", "configmap", "kept", "-o", "jsonpath={.data.a}") == "b"


def test_down_leaves_nothing(cluster: Cluster) -> None:
    """After `down --purge` there is no process and no folder; a second `down` is harmless."""
    cluster.up()
    pids = list(cluster.pids().values())
    done = cluster.run("down", "--purge")
    assert done.returncode == 0, done.stderr
    assert [pid for pid in pids if is_alive(pid)] == []
    assert not cluster.home.exists()
    again = cluster.run("down")
    assert (again.returncode, again.stdout) == (0, "cluster 'default' did not run\n")


def test_purge_spares_what_is_not_ours(cluster: Cluster) -> None:
    """A folder with foreign files is not removed."""
    cluster.up()
    (cluster.home / "thesis.tex").write_text("years of work")
    done = cluster.run("down", "--purge")
    assert done.returncode == 1
    assert "thesis.tex" in done.stderr
    assert (cluster.home / "thesis.tex").exists()
    (cluster.home / "thesis.tex").unlink()


@pytest.mark.parametrize("processes", ["together", "apart"])
def test_whatever_is_killed_is_started_again(cluster: Cluster, processes: str) -> None:
    """SIGKILL of each process: it comes back by itself, nothing acknowledged is lost, and the others run on."""
    cluster.up(f"--processes={processes}")
    for name, pid in cluster.pids().items():
        if name == "supervisor":
            continue
        before = cluster.pids()
        cluster.kubectl("create", "configmap", f"before-{name}")
        os.kill(pid, signal.SIGKILL)
        eventually(lambda name=name, pid=pid: cluster.pid(name) not in (0, pid), f"{name} was started again")  # type: ignore[misc]  # a lambda's defaults
        eventually(lambda: cluster.run("status").returncode == 0, "ready again")
        cluster.kubectl("get", "configmap", f"before-{name}")
        assert {other: cluster.pid(other) for other in before if other != name} == without(before, name)


def test_killed_supervisor_is_replaced_by_up(cluster: Cluster) -> None:
    """Without its supervisor everything runs on, status says so, and `up` starts another that goes on with it."""
    cluster.up("--processes=apart")
    before = cluster.pids()
    os.kill(before["supervisor"], signal.SIGKILL)
    eventually(lambda: not is_alive(before["supervisor"]), "the supervisor ended")
    done = cluster.run("status")
    assert (done.returncode, "the supervisor does not run" in done.stdout) == (4, True)
    cluster.up()
    assert without(cluster.pids(), "supervisor") == without(before, "supervisor")
    os.kill(before["scheduler"], signal.SIGKILL)
    eventually(lambda: cluster.pid("scheduler") not in (0, before["scheduler"]), "supervised again")


def test_everything_killed_is_started_by_up(cluster: Cluster) -> None:
    """SIGKILL of all processes at once: nothing runs, and `up` starts anew on the same objects."""
    cluster.up()
    cluster.kubectl("create", "configmap", "kept")
    pids = cluster.pids()
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(map(is_alive, pids.values())), "all ended")
    assert cluster.run("status").returncode == 3
    cluster.up()
    cluster.kubectl("get", "configmap", "kept")


def test_process_nobody_wrote_down_is_ended(cluster: Cluster) -> None:
    """A supervisor killed between a start and its record leaves a process that `down` finds all the same."""
    cluster.up()
    pids = cluster.pids()
    os.kill(pids["supervisor"], signal.SIGKILL)
    (cluster.home / "cluster.json").unlink()
    assert cluster.run("down").returncode == 0
    assert [pid for pid in pids.values() if is_alive(pid)] == []


def test_stopped_component_stays_stopped(cluster: Cluster) -> None:
    """`stop` ends one component for good: with the controller-manager stopped no pods appear; `start` lets it go on."""
    cluster.up("--processes=apart")
    assert cluster.run("stop", "controller-manager").stdout == "controller-manager stopped\n"
    manifest = str(Path(__file__).parents[3] / "examples" / "replicaset.yaml")
    cluster.kubectl("create", "-f", manifest)
    time.sleep(2)
    assert cluster.pid("controller-manager") == 0
    assert cluster.kubectl("get", "pods", "-o", "name") == ""
    assert (
        json.loads(cluster.run("status", "-o", "json").stdout)["components"]["controller-manager"]["state"] == "stopped"
    )
    assert cluster.run("start", "controller-manager").stdout == "controller-manager started\n"
    eventually(lambda: cluster.kubectl("get", "pods", "-o", "name").count("pod/web-") == 3, "three pods")


def test_component_of_a_shared_process_cannot_be_stopped(cluster: Cluster) -> None:
    """Where components share a process, `stop` says how to have them apart."""
    cluster.up()
    done = cluster.run("stop", "scheduler")
    assert (done.returncode, "--processes apart" in done.stderr) == (1, True)


def test_another_shape_wants_another_start(cluster: Cluster) -> None:
    """`up` with other options than those of what runs changes nothing and says what to do."""
    cluster.up()
    done = cluster.run("up", "--processes=apart")
    assert (done.returncode, "end it first" in done.stderr) == (1, True)


def test_status_tells_scripts(cluster: Cluster) -> None:
    """Exit codes: 3 when nothing runs, 0 when ready; the answer is JSON when asked for."""
    assert cluster.run("status").returncode == 3
    assert cluster.run("token").returncode == 3
    cluster.up()
    done = cluster.run("status", "-o", "json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["ready"] is True
    assert answer["components"]["control-plane"]["memoryMiB"] > 1


def test_taken_port_is_named(cluster: Cluster) -> None:
    """A port somebody else holds is refused with the flag's name, and nothing is left running."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        done = cluster.run("up", "--runtime=none", f"--secure-port={port}")
    assert done.returncode == 1
    assert f"--secure-port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_etcd_it_says_what_to_install(cluster: Cluster, tmp_path: Path) -> None:
    """With no etcd on PATH the bundled one is used, and the answer says what that means."""
    done = cluster.run("up", "--runtime=none", "--secure-port=0", "--grpc-port=0", PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert "can lose data in a crash" in done.stderr


def test_two_clusters_live_side_by_side(cluster: Cluster, tmp_path: Path) -> None:
    """Clusters with homes of their own share nothing: neither ports, nor credentials, nor objects."""
    other = Cluster(tmp_path / "other")
    try:
        assert cluster.up()["rest"] != other.up()["rest"]
        cluster.kubectl("create", "configmap", "only-here")
        assert "only-here" not in other.kubectl("get", "configmaps")
        foreign = (other.home / "token").read_text().strip()
        refused = cluster.run(
            "get", "namespaces", "--token", foreign, "--kubeconfig", str(no_token(cluster)), program="kubectl"
        )
        assert refused.returncode != 0
    finally:
        other.run("down", "--purge")


def no_token(cluster: Cluster) -> Path:
    """The cluster's kubeconfig without a user."""
    config = json.loads((cluster.home / "kubeconfig").read_text())
    config["users"][0]["user"] = {}
    path = cluster.home.parent / "stranger"
    path.write_text(json.dumps(config))
    return path


def test_folder_is_private(cluster: Cluster) -> None:
    """Token, kubeconfig and keys are readable by their owner alone."""
    cluster.up()
    secret = [cluster.home / "token", cluster.home / "kubeconfig", *cluster.home.glob("pki/*.key")]
    assert [path for path in secret if path.stat().st_mode & 0o077] == []
    assert cluster.home.stat().st_mode & 0o077 == 0


def test_completion_is_for_each_shell(cluster: Cluster) -> None:
    """`completion` prints a script for each shell it names."""
    for shell in ("bash", "zsh", "fish"):
        assert "_KUBEWIRE_COMPLETE" in cluster.run("completion", shell).stdout
