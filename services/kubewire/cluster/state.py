"""What a running cluster is: its processes and where they listen, as the file `cluster.json` holds it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from kubewire.cluster.errors import NotRunning
from kubewire.cluster.home import Home
from kubewire.cluster.processes import ProcessId
from kubewire.component.files import write_private


@dataclass(frozen=True, slots=True)
class ClusterState:
    """Addresses are `host:port`; `insecure_grpc` is empty where that listener is off."""

    name: str
    runtime: str
    control_plane: ProcessId
    etcd: ProcessId
    rest: str
    grpc: str
    insecure_grpc: str
    etcd_version: str

    @property
    def is_running(self) -> bool:
        """Whether the control plane's process is alive; whether it is ready is for its health check to say."""
        return self.control_plane.is_alive


def write(home: Home, state: ClusterState) -> None:
    """Put the state on disk in one step."""
    write_private(home.state, json.dumps(asdict(state), indent=2).encode())


def read(home: Home) -> ClusterState | None:
    """The state on disk, None if there is none or if it cannot be read."""
    try:
        fields = json.loads(home.state.read_bytes())
        control_plane, etcd = (ProcessId(**fields.pop(name)) for name in ("control_plane", "etcd"))
        return ClusterState(control_plane=control_plane, etcd=etcd, **fields)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def running(home: Home) -> ClusterState:
    """The state of a cluster that runs.

    Raises:
        NotRunning: there is no state, or its process is gone.
    """
    state = read(home)
    if state is None or not state.is_running:
        raise NotRunning(f"cluster {home.name!r} does not run: start it with `kubewire up --name {home.name}`")
    return state
