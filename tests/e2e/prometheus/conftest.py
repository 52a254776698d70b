"""A cluster with three replicas in containers, and a Prometheus that watches it as the examples say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cluster_commands import Cluster, eventually, remains
from tests.prometheus_process import PrometheusProcess, running_prometheus

EXAMPLES = Path(__file__).parents[3] / "examples"
INTERVAL = "5s"
JOBS = {"apiserver", "controller-manager", "scheduler", "kubelet", "kubelet-probes", "kube-proxy"}


class Watched(NamedTuple):
    """A cluster, who watches it, and with what token."""

    cluster: Cluster
    prometheus: PrometheusProcess
    token: Path


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """All components apart, each target scraped at least once; nothing is left of it afterwards."""
    folder = tmp_path_factory.mktemp("kw")
    cluster = Cluster(folder / "home", f"e2e-prom-{os.getpid()}", "containerd")
    try:
        cluster.up("--processes=apart")
        examples = [f"--filename={EXAMPLES / name}" for name in ("replicaset.yaml", "service.yaml", "prometheus.yaml")]
        cluster.kubectl("apply", *examples)
        cluster.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=80s", "replicaset/web")
        token = folder / "token"
        token.write_text(cluster.kubectl("create", "token", "prometheus", "--duration=24h"))
        with running_prometheus(folder / "prometheus", configuration(cluster, token)) as prometheus:
            eventually(lambda: is_scraped(prometheus), "every target is scraped")
            yield Watched(cluster, prometheus, token)
    finally:
        done = cluster.run("down", "--purge")
    assert done.returncode == 0, done.stderr
    assert remains(cluster) == []


def configuration(cluster: Cluster, token: Path) -> dict[str, Any]:
    """What the example makes of the cluster's status, but scraped more often."""
    status = cluster.run("status", "-o", "json").stdout
    command = [sys.executable, str(EXAMPLES / "prometheus.py"), str(token)]
    made = subprocess.run(command, input=status, capture_output=True, text=True, timeout=30, check=True).stdout
    found: dict[str, Any] = json.loads(made)
    found["global"]["scrape_interval"] = found["global"]["scrape_timeout"] = INTERVAL
    return found


def is_scraped(prometheus: PrometheusProcess) -> bool:
    """Whether every job has a target, and every target was asked."""
    targets = prometheus.targets()
    jobs = {target["scrapePool"] for target in targets}
    return jobs == JOBS and all(target["health"] != "unknown" for target in targets)
