"""Logs of real containers are put aside while they are written."""

import asyncio
from pathlib import Path

import pytest

from kubewire.client.client import Client
from kubewire.kubelet.pods.log_rotation import LogRotation
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import PodIdentity
from kubewire.kubelet.runtime.cri import CriRuntime
from kubewire.kubelet.runtime.observation import Observation
from tests.containerd_process import DEMO_IMAGE
from tests.integration.kubelet.conftest import Machine
from tests.integration.kubelet.node_pods import Uncounted, gone, is_ready, pod_of, when

SPEC = f"""
terminationGracePeriodSeconds: 1
containers:
- {{name: app, image: '{DEMO_IMAGE}', command: [/bin/sh, -c, 'while :; do echo "$((n += 1))"; sleep 0.01; done']}}
"""


def numbers(logs: list[Path]) -> list[int]:
    """What the container counted, over all of its logs."""
    return [int(line.split()[3]) for log in logs for line in log.read_text().splitlines()]


async def longer(log: Path, size: int) -> None:
    """Wait until a log has grown."""
    while not (log.exists() and log.stat().st_size > size):  # noqa: ASYNC110, ASYNC240 - a file of somebody else's
        await asyncio.sleep(0.02)


@pytest.mark.usefixtures("kubelet")
async def test_no_line_is_lost(machine: Machine, client: Client) -> None:
    """What was written goes on in a fresh file, and only so many files are kept."""
    pod = await client.pods().create(pod_of(machine, "counting", SPEC))
    await when(client, "counting", is_ready)
    runtime = CriRuntime(str(machine.node.socket), Uncounted())
    seen = Observation(runtime, lambda _: None, complete=lambda one: one, relist_seconds=1000, metrics=_NoMetrics())
    await seen.refresh(PodIdentity(pod.metadata.uid, "default", "counting"))
    log = Path(seen.pods[pod.metadata.uid].containers[0].annotations[labels.LOG_FILE])
    clock = iter(range(1_700_000_000, 1_800_000_000))
    rotation = LogRotation(runtime, seen, size_bytes=500, files=3, wall_clock=lambda: next(clock))
    async with asyncio.timeout(60):
        for _ in range(2):
            await longer(log, 500)
            await rotation.look()
        await longer(log, 100)
        logs = sorted(log.parent.glob("0.log.*"))
        counted = numbers([*logs, log])
        assert counted == list(range(1, len(counted) + 1))
        assert len(logs) == 2
        await longer(log, 500)
        await rotation.look()
        assert len(list(log.parent.glob("0.log*"))) <= 3
    await runtime.close()
    await gone(client, "counting")


class _NoMetrics:
    def relisted(self, seconds: float, interval_seconds: float) -> None:
        """Nothing."""
