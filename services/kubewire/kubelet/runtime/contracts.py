"""What the kubelet asks of whatever runs containers, and the form in which it sees what runs.

Configurations go in as CRI messages, which every runtime understands; observations come out as plain values, so that
deciding needs no runtime. Two implementations pass one suite (tests/conformance/runtime).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple, Protocol

from kubewire.cri.v1.api_pb2 import AuthConfig, ContainerConfig, PodSandboxConfig


class Phase(Enum):
    """Where a container is in its life."""

    CREATED = "created"
    RUNNING = "running"
    EXITED = "exited"
    UNKNOWN = "unknown"


class PodIdentity(NamedTuple):
    """Which pod; its uid is what counts, the rest is for people and paths."""

    uid: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Container:
    """One container of a pod as the runtime has it; times in seconds since the epoch, 0 if it has not come to that.

    Attributes:
        attempt: counts the containers of this name in the pod, from 0.
        image: as the runtime calls it; `image_ref` says exactly which bytes.
        reason, message: of its end.
        annotations: what the kubelet has to know of it after its own restart.
    """

    id: str
    sandbox_id: str
    name: str
    attempt: int
    phase: Phase
    image: str = ""
    image_ref: str = ""
    created_at: float = 0.0
    started_at: float = 0.0
    finished_at: float = 0.0
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.phase is Phase.RUNNING

    @property
    def is_ended(self) -> bool:
        """Whether it has run and does not any more; one the runtime knows nothing of counts as ended."""
        return self.phase in {Phase.EXITED, Phase.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A pod's sandbox: its namespaces and network. `ips` is empty on the node's own network."""

    id: str
    attempt: int
    is_ready: bool
    created_at: float = 0.0
    ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuntimePod:
    """All the runtime has of one pod, the newest first."""

    identity: PodIdentity
    sandboxes: tuple[Sandbox, ...] = ()
    containers: tuple[Container, ...] = ()

    def newest(self, name: str) -> Container | None:
        """The latest container of a name."""
        return next((one for one in self.containers if one.name == name), None)

    def named(self, name: str) -> Sequence[Container]:
        """All containers of a name, the newest first."""
        return [one for one in self.containers if one.name == name]

    @property
    def ready_sandbox(self) -> Sandbox | None:
        """The newest sandbox, if it is up."""
        return self.sandboxes[0] if self.sandboxes and self.sandboxes[0].is_ready else None

    @property
    def running(self) -> Sequence[Container]:
        """The containers that run."""
        return [one for one in self.containers if one.is_running]

    @property
    def states(self) -> frozenset[tuple[str, str]]:
        """As lists tell them, see `Listed`."""
        return frozenset(
            (
                *((one.id, sandbox_state(is_ready=one.is_ready)) for one in self.sandboxes),
                *((one.id, one.phase.value) for one in self.containers),
            )
        )

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of it."""
        return not self.sandboxes and not self.containers


class Listed(NamedTuple):
    """A pod in a list: enough to see that something is different."""

    identity: PodIdentity
    states: frozenset[tuple[str, str]]
    """Ids of sandboxes (`ready`, `down`) and containers (values of `Phase`) with their states."""


def sandbox_state(*, is_ready: bool) -> str:
    """A sandbox's state in a list."""
    return "ready" if is_ready else "down"


class Image(NamedTuple):
    """An image that is there. `ref` names exactly these bytes; `user` is who it runs as by itself: uid or name."""

    id: str
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    size: int = 0
    uid: int | None = None
    username: str = ""
    pinned: bool = False

    @property
    def ref(self) -> str:
        """The digest if it has one, its id otherwise."""
        return self.digests[0] if self.digests else self.id


class Version(NamedTuple):
    """Which runtime it is: `containerd`, `1.6.20`."""

    name: str
    version: str


class Condition(NamedTuple):
    """One thing the runtime says about itself: RuntimeReady, NetworkReady."""

    type: str
    status: bool
    reason: str = ""
    message: str = ""


class Usage(NamedTuple):
    """What a container has used."""

    container_id: str
    pod: PodIdentity
    name: str
    cpu_seconds: float
    memory_bytes: int
    disk_bytes: int


class Filesystem(NamedTuple):
    """Where images lie, and how much of it they take."""

    mountpoint: str
    used_bytes: int


OnChange = Callable[[str, str], None]
"""Told that something of a pod is different: the id of a container or sandbox, and the pod's uid if it is known."""


class Sandboxes(Protocol):
    """Sandboxes and containers. Every call raises RuntimeCallError when the runtime refuses it or is away."""

    async def run_sandbox(self, config: PodSandboxConfig, handler: str) -> str:
        """Make and start a pod's sandbox; returns its id. `handler` names a runtime class' handler, or is empty."""
        ...

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """End it and all in it, and give its addresses back. Doing it again, or to what is gone, is harmless."""
        ...

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """Remove it with all its containers. What is gone is no failure."""
        ...

    async def create_container(self, sandbox_id: str, config: ContainerConfig, sandbox: PodSandboxConfig) -> str:
        """Make a container; returns its id."""
        ...

    async def start_container(self, container_id: str) -> None:
        """Start what was made."""
        ...

    async def stop_container(self, container_id: str, grace_seconds: int) -> None:
        """Ask it to end, and kill it when the time is over. What has ended or is gone is no failure."""
        ...

    async def remove_container(self, container_id: str) -> None:
        """Remove it. What is gone is no failure."""
        ...

    async def end_stray(self, container_id: str) -> None:
        """Kill what may run of a container that counts as ended because its start was interrupted."""
        ...

    async def reopen_log(self, container_id: str) -> None:
        """Write the log into a fresh file under its name: the one before was put aside."""
        ...


class Images(Protocol):
    """Images. Every call raises RuntimeCallError when the runtime refuses it or is away."""

    async def image(self, name: str) -> Image | None:
        """The image of a name or id if it is there."""
        ...

    async def pull_image(self, name: str, auth: AuthConfig | None) -> str:
        """Fetch it; returns what exactly was fetched."""
        ...

    async def images(self) -> Sequence[Image]:
        """All that are there."""
        ...

    async def remove_image(self, image_id: str) -> None:
        """Remove it. What is gone is no failure."""
        ...

    async def image_filesystem(self) -> Filesystem | None:
        """Where images lie; None if the runtime cannot tell."""
        ...

    async def sandbox_image(self) -> str:
        """The name of the image that sandboxes are made of; empty if there is none or the runtime does not tell."""
        ...


class Runtime(Sandboxes, Images, Protocol):
    """All of it."""

    @property
    def is_simulated(self) -> bool:
        """Whether nothing really runs."""
        ...

    async def version(self) -> Version:
        """Which runtime it is."""
        ...

    async def conditions(self) -> Sequence[Condition]:
        """What it says about itself."""
        ...

    async def list(self) -> Sequence[Listed]:
        """All pods that the kubelet made, told apart by uid."""
        ...

    async def pod(self, identity: PodIdentity) -> RuntimePod:
        """Everything about one pod, as it is now."""
        ...

    async def usage(self) -> Sequence[Usage]:
        """What running containers use."""
        ...

    async def follow(self, on_change: OnChange) -> None:
        """Tell of changes until cancelled.

        Raises:
            RuntimeCallError: the stream broke, or there is none (`code` UNIMPLEMENTED).
        """
        ...

    async def close(self) -> None:
        """End all calls."""
        ...
