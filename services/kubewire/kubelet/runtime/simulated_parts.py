"""What stands beside a simulated runtime: commands that succeed, probes that say yes, volumes that hold nothing."""

# ruff: noqa: ARG001, ARG002 - what protocols hand in is not looked at

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.kubelet.contracts import ExecResult, Mount
from kubewire.kubelet.pods.folders import Folders
from kubewire.kubelet.probes.checks import Target
from kubewire.kubelet.probes.reply import SUCCESS, Reply
from kubewire.kubelet.probes.spec import ProbeSpec
from kubewire.kubelet.runtime.contracts import PodIdentity


class SimulatedCommands:
    """Fills `contracts.ContainerExec`."""

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout_seconds: float) -> ExecResult:
        """Nothing runs, and nothing fails."""
        return ExecResult(0, b"")


async def simulated_check(spec: ProbeSpec, target: Target) -> Reply:
    """Fills `probes.checks.Check`: every container is well."""
    return SUCCESS


class SimulatedVolumes:
    """Fills `contracts.Volumes`."""

    async def ensure(self, pod: Pod) -> None:
        """Nothing is written."""

    async def mounts(self, pod: Pod, container: str, variables: Sequence[tuple[str, str]]) -> Sequence[Mount]:
        """Nothing is mounted."""
        return ()

    async def remove(self, pod_uid: str) -> None:
        """Nothing is there."""

    def known(self) -> set[str]:
        """Nothing is there."""
        return set()


class SimulatedEnvironment:
    """Fills `contracts.Environment`."""

    async def variables(
        self, pod: Pod, container: str, pod_ips: Sequence[str], host_ip: str
    ) -> Sequence[tuple[str, str]]:
        """Nobody reads them."""
        return ()


class UnwrittenFolders(Folders):
    """Paths that nothing is written to."""

    def make_log_folder(self, identity: PodIdentity, container: str = "") -> None:
        """Nothing logs."""

    def write_hosts(self, uid: str, content: str) -> Path:
        """Nothing reads it."""
        return Path("/dev/null")

    def make_message_file(self, uid: str, container: str) -> Path:
        """Nothing writes it."""
        return Path("/dev/null")
