"""What runs of a cluster: its settings and every process, as the supervisor writes them into `cluster.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from kubewire.cluster.errors import NotRunning
from kubewire.cluster.home import Home
from kubewire.cluster.processes import ProcessId
from kubewire.cluster.wanted import Settings, settings_of
from kubewire.component.files import write_private


@dataclass(frozen=True, slots=True)
class ComponentState:
    """One component. `exit_code` is that of its last process that ended, negative for a signal."""

    process: ProcessId | None = None
    restarts: int = 0
    exit_code: int | None = None
    is_stopped: bool = False

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.is_alive

    @property
    def is_as_wanted(self) -> bool:
        """Whether it runs, or was stopped on purpose."""
        return self.is_stopped or self.is_alive


@dataclass(frozen=True, slots=True)
class ClusterState:
    """All of it; components are in the order in which they start."""

    settings: Settings
    supervisor: ProcessId
    components: Mapping[str, ComponentState] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether anything of it is alive; whether it is ready is for its health check to say."""
        return self.supervisor.is_alive or any(one.is_alive for one in self.components.values())

    @property
    def is_whole(self) -> bool:
        """Whether all that was started and not stopped on purpose is alive."""
        return self.supervisor.is_alive and all(one.is_as_wanted for one in self.components.values())

    def processes(self) -> list[ProcessId]:
        """Every process it names, the supervisor first and then those that started last."""
        found = [one.process for one in reversed(list(self.components.values())) if one.process is not None]
        return [self.supervisor, *found]


def write(home: Home, state: ClusterState) -> None:
    """Put the state on disk in one step."""
    document = {
        **asdict(state.settings),
        "supervisor": asdict(state.supervisor),
        "components": {name: _flat(one) for name, one in state.components.items()},
    }
    write_private(home.state, json.dumps(document, indent=2).encode())


def read(home: Home) -> ClusterState | None:
    """The state on disk, None if there is none or if it cannot be read."""
    try:
        document = json.loads(home.state.read_bytes())
        supervisor = ProcessId(**document.pop("supervisor"))
        components = {name: _component(fields) for name, fields in document.pop("components").items()}
        return ClusterState(settings_of(document), supervisor, components)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def running(home: Home) -> ClusterState:
    """The state of a cluster that runs.

    Raises:
        NotRunning: there is no state, or all its processes are gone.
    """
    state = read(home)
    if state is None or not state.is_running:
        raise NotRunning(f"cluster {home.name!r} does not run: start it with `kubewire up --name {home.name}`")
    return state


def _flat(one: ComponentState) -> dict[str, object]:
    fields = asdict(one)
    process = fields.pop("process") or {"pid": None, "started": None}
    return {**process, **fields}


def _component(fields: dict[str, object]) -> ComponentState:
    pid, started = fields.pop("pid"), fields.pop("started")
    process = ProcessId(pid, started) if isinstance(pid, int) and isinstance(started, int) else None
    return ComponentState(process, **fields)  # type: ignore[arg-type]  # written above
