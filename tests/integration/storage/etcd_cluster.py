"""A cluster of several etcd members on the loopback address, for tests of quorum and fail-over."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.etcd_process import EtcdProcess, find_free_ports


@dataclass
class ClusterMember(EtcdProcess):
    """One member; `launch` starts it without waiting for a quorum."""

    name: str = ""
    cluster: str = ""

    def launch(self) -> None:
        """Start it; it is healthy once a quorum runs."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "etcd.log").open("ab") as log:
            self.process = subprocess.Popen(self._command(), stdout=log, stderr=log, start_new_session=True)

    def wait(self) -> None:
        """Return when it is healthy."""
        self._wait_until_healthy()

    def _command(self) -> list[str]:
        replaced = {"--name": self.name, "--initial-cluster": self.cluster}
        options = (option.partition("=") for option in super()._command())
        return [f"{name}{equals}{replaced.get(name, value)}" for name, equals, value in options]


@contextmanager
def running_cluster(folder: Path, count: int) -> Iterator[list[ClusterMember]]:
    """`count` members, healthy; those still running are ended on leaving."""
    ports = find_free_ports(2 * count)
    cluster = ",".join(f"m{index}=http://127.0.0.1:{ports[count + index]}" for index in range(count))
    members = [
        ClusterMember(folder / f"m{index}", ports[index], ports[count + index], name=f"m{index}", cluster=cluster)
        for index in range(count)
    ]
    try:
        for member in members:
            member.launch()
        for member in members:
            member.wait()
        yield members
    finally:
        for member in members:
            member.kill()
