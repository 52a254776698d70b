"""What a cluster is to be, as the file `wanted.json` holds it: written by commands, read by the supervisor.

Only commands that hold the cluster's lock write it; what runs stands in `cluster.json`, which is the supervisor's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from kubewire.cluster.home import Home
from kubewire.cluster.supervision.component import Component
from kubewire.component.files import write_private

TOGETHER: Final = "together"
APART: Final = "apart"
PROCESSES: Final = (TOGETHER, APART)
CONTAINERD: Final = "containerd"
SIMULATED: Final = "simulated"
NONE: Final = "none"
RUNTIMES: Final = (CONTAINERD, SIMULATED, NONE)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the cluster was started as. Addresses are `host:port`.

    Attributes:
        nodes: their names.
        insecure_grpc: empty where that listener is off.
        services: where components serve their own gRPC, by name.
        metrics: where they serve metrics and health, by name.
        host_address: where nodes reach this machine; empty where there are no nodes apart from it.
        pod_addresses: the range of the addresses of pods; empty for the usual one.
        egress: whether pods reach the world outside, which takes a table of rules on the host.
    """

    name: str
    runtime: str
    processes: str
    nodes: tuple[str, ...]
    rest: str
    grpc: str
    insecure_grpc: str
    etcd_version: str
    services: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)
    host_address: str = ""
    pod_addresses: str = ""
    egress: bool = True


@dataclass(frozen=True, slots=True)
class Wanted:
    """The cluster and its processes, in the order in which they start."""

    settings: Settings
    components: tuple[Component, ...] = ()

    def with_components(self, components: tuple[Component, ...]) -> Wanted:
        """The same cluster with other processes."""
        return replace(self, components=components)

    def stopping(self, names: frozenset[str], *, is_stopped: bool) -> Wanted:
        """The same with some components stopped on purpose, or no longer."""
        changed = (replace(one, is_stopped=is_stopped) if one.name in names else one for one in self.components)
        return replace(self, components=tuple(changed))


def write(home: Home, wanted: Wanted) -> None:
    """Put it on disk in one step."""
    write_private(home.wanted, json.dumps(asdict(wanted), indent=2).encode())


def read(home: Home) -> Wanted | None:
    """What is on disk, None if there is nothing or if it cannot be read."""
    try:
        document = json.loads(home.wanted.read_bytes())
        components = tuple(_component(fields) for fields in document["components"])
        return Wanted(settings_of(document["settings"]), components)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def settings_of(fields: Mapping[str, object]) -> Settings:
    """Settings as JSON has them.

    Raises:
        TypeError, KeyError: they are not.
    """
    return Settings(**{**fields, "nodes": tuple(fields["nodes"])})  # type: ignore[arg-type]  # written by `write`


def _component(fields: Mapping[str, Any]) -> Component:
    lists = {name: tuple(fields[name]) for name in ("command", "stale")}
    return Component(**{**fields, **lists})
