"""The example, three replicas of a web server behind a Service, as tests look at it."""

from __future__ import annotations

from pathlib import Path

from tests.cluster_commands import Cluster, eventually

EXAMPLES = Path(__file__).parents[3] / "examples"


def run_web(cluster: Cluster) -> None:
    """The example: three replicas behind a Service, all of them ready."""
    cluster.kubectl("apply", "-f", str(EXAMPLES / "replicaset.yaml"), "-f", str(EXAMPLES / "service.yaml"))
    await_ready(cluster)


def await_ready(cluster: Cluster) -> None:
    """Until three of three replicas are Ready."""
    wait = ("wait", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=80s", "replicaset/web")
    eventually(lambda: cluster.run(*wait, program="kubectl").returncode == 0, "three replicas Ready")


def pods(cluster: Cluster) -> set[str]:
    """The pods' names."""
    return set(cluster.kubectl("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}").split())


def containers(cluster: Cluster) -> set[str]:
    """The ids of the pods' containers with their numbers of restarts."""
    shape = "jsonpath={range .items[*].status.containerStatuses[*]}{.containerID}={.restartCount} {end}"
    return set(cluster.kubectl("get", "pods", "-l", "app=web", "-o", shape).split())


def await_all_answer(cluster: Cluster, node: str) -> None:
    """Until every replica, and nobody else, has answered a node."""
    answered: set[str] = set()

    def all_did() -> bool:
        answered.update(pages(cluster, node))
        return answered == pods(cluster)

    eventually(all_did, f"every replica answered {node}")


def pages(cluster: Cluster, node: str = "node-1") -> set[str]:
    """Who answered a handful of requests to the Service's address, from a node."""
    address = cluster.kubectl("get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")
    script = f"for number in $(seq 25); do timeout 5 busybox wget -qO- http://{address}/; done"
    done = cluster.run("enter", f"--node={node}", "sh", "-c", script)
    return {line.rpartition(" ")[2] for line in done.stdout.splitlines()}
