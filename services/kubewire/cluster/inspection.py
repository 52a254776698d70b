"""Asking a local cluster how it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kubewire.cluster import agents, processes, state
from kubewire.cluster.api import Api, Unanswered
from kubewire.cluster.home import Home
from kubewire.cluster.nodes.place import read_fabric, read_places
from kubewire.cluster.wanted import CONTAINERD, Settings

RUNNING = "running"
STOPPED = "stopped"
ENDED = "ended"
_LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """One process. `condition` is running, stopped (on purpose) or ended; `bytes` is the memory it holds."""

    condition: str
    pid: int
    restarts: int
    bytes: int
    log: str


@dataclass(frozen=True, slots=True)
class NodeHealth:
    """One node as the API has it."""

    is_ready: bool
    addresses: tuple[str, ...]
    pod_cidr: str
    version: str


@dataclass(frozen=True, slots=True)
class Health:
    """A running cluster as seen from outside.

    Attributes:
        detail: the failing checks' text, empty when ready.
        metrics: where components serve metrics, `host:port` by name; the API server does where its REST face is.
    """

    state: state.ClusterState
    is_ready: bool
    detail: str
    components: Mapping[str, ComponentHealth] = field(default_factory=dict)
    nodes: Mapping[str, NodeHealth] = field(default_factory=dict)
    metrics: Mapping[str, str] = field(default_factory=dict)


def inspect(home: Home) -> Health:
    """Ask the API server's readiness and nodes over TLS, and the kernel for memory.

    Raises:
        NotRunning: there is nothing to ask.
    """
    found = state.running(home)
    detail, nodes = _ask(home, found)
    missing = [name for name, one in found.components.items() if not one.is_as_wanted]
    if missing and not detail:
        detail = f"not running: {', '.join(missing)}"
    if not found.supervisor.is_alive:
        detail = "\n".join([*([detail] if detail else []), "the supervisor does not run: `kubewire up` starts it"])
    return Health(found, not detail, detail, _components(home, found), nodes, metrics(home, found.settings))


def metrics(home: Home, settings: Settings) -> dict[str, str]:
    """Where the control plane's components serve metrics, and the agents of nodes with addresses of their own."""
    fabric = read_fabric(home) if settings.runtime == CONTAINERD else None
    places = [] if fabric is None else read_places(fabric)
    of_nodes = {f"{place.name}/{role}": at for place in places for role, at in agents.metrics(place).items()}
    return {**settings.metrics, **of_nodes}


def _ask(home: Home, found: state.ClusterState) -> tuple[str, dict[str, NodeHealth]]:
    """What is not ready, and the nodes."""
    api = Api(home, found.settings.rest)
    try:
        api.text("/readyz?verbose")
        return "", dict(node(one) for one in api.objects("/api/v1/nodes"))
    except Unanswered as error:
        return str(error) or "the API server does not answer", {}


def _components(home: Home, found: state.ClusterState) -> dict[str, ComponentHealth]:
    supervisor = state.ComponentState(found.supervisor)
    return {name: _component(home, name, one) for name, one in {"supervisor": supervisor, **found.components}.items()}


def _component(home: Home, name: str, one: state.ComponentState) -> ComponentHealth:
    condition = RUNNING if one.is_alive else STOPPED if one.is_stopped else ENDED
    process = one.process if one.is_alive else None
    size = 0 if process is None else processes.resident_bytes(process)
    return ComponentHealth(condition, 0 if process is None else process.pid, one.restarts, size, str(home.log(name)))


def unready_nodes(home: Home, settings: Settings, since: Mapping[str, float]) -> list[str]:
    """The nodes that have not told yet, since the given times (Unix seconds), that they are ready for pods."""
    api = Api(home, settings.rest)
    try:
        nodes = dict(node(one) for one in api.objects("/api/v1/nodes"))
        heard = dict(_renewal(one) for one in api.objects(_LEASES))
    except Unanswered:
        return list(settings.nodes)
    ready = {name for name, one in nodes.items() if one.is_ready and heard.get(name, 0.0) >= since.get(name, 0.0)}
    return [name for name in settings.nodes if name not in ready]


def node(found: dict[str, object]) -> tuple[str, NodeHealth]:
    """A node as the API's JSON has it: its name, and how it is."""
    spec, status = _mapping(found.get("spec")), _mapping(found.get("status"))
    addresses = [f"{one['address']}" for one in _list(status.get("addresses")) if one["type"] == "InternalIP"]
    conditions = {one["type"]: one["status"] for one in _list(status.get("conditions"))}
    version = _mapping(status.get("nodeInfo")).get("kubeletVersion", "")
    health = NodeHealth(conditions.get("Ready") == "True", tuple(addresses), f"{spec.get('podCIDR', '')}", f"{version}")
    return f"{_mapping(found['metadata'])['name']}", health


def _renewal(lease: dict[str, object]) -> tuple[str, float]:
    """A node's name, and when it was last heard of."""
    at = str(_mapping(lease.get("spec")).get("renewTime", "1970-01-01T00:00:00+00:00"))
    return f"{_mapping(lease['metadata'])['name']}", datetime.fromisoformat(at).timestamp()


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[dict[str, object]]:
    return value if isinstance(value, list) else []
