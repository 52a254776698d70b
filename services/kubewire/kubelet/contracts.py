"""What the kubelet's parts expect of each other.

The pod worker decides and acts; what it needs to know or do lies behind these protocols, so that each part can be
read, tested and replaced by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_pb2 import Service


class ExecResult(NamedTuple):
    """What a command in a container came to; output is stdout and stderr as they came, cut at 16 KiB."""

    exit_code: int
    output: bytes


class ContainerExec(Protocol):
    """Runs a command in a running container."""

    async def exec_sync(self, container_id: str, command: Sequence[str], timeout_seconds: float) -> ExecResult:
        """Run it to its end.

        Raises:
            TimeoutError: it took longer; it was killed.
            RuntimeCallError: the runtime could not run it.
        """
        ...


@dataclass(frozen=True, slots=True)
class RunningContainer:
    """A container that runs; `started_at` is in seconds since the epoch."""

    name: str
    id: str
    started_at: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the probes of one container say at present; all true for what has no probe, as upstream has it.

    Attributes:
        failure: why it is not live, for the event and the container's end; empty while it is.
        grace_seconds: what the failed probe gives the container to end; None: what the pod gives.
    """

    started: bool = True
    ready: bool = True
    live: bool = True
    failure: str = ""
    grace_seconds: int | None = None


class Prober(Protocol):
    """Probes containers; the owner is told by the callback it was made with (pod uid) when a verdict turned."""

    def sync(self, pod: Pod, running: Mapping[str, RunningContainer], pod_ip: str) -> None:
        """Probe exactly these containers of the pod, by name; a new id starts anew, what is missing is not probed."""
        ...

    def verdict(self, pod: Pod, container: str, container_id: str) -> Verdict:
        """What is known of a container."""
        ...

    def forget(self, pod_uid: str) -> None:
        """Stop probing the pod."""
        ...


class Mount(NamedTuple):
    """A place of the host seen in a container."""

    container_path: str
    host_path: Path
    readonly: bool = False
    propagation: str = "None"
    selinux_relabel: bool = False


class Volumes(Protocol):
    """Volumes of the pods of this node, below the pod's folder (`<root>/pods/<uid>`).

    The owner is told by the callback it was made with (pod uid) when what the pod's files hold is out of date, because
    a ConfigMap or Secret changed or a token is to be renewed: it calls `ensure` again.
    """

    async def ensure(self, pod: Pod) -> None:
        """Set up all volumes of the pod, or bring them up to date; cheap when nothing changed.

        Raises:
            VolumeError: with the volume's name and what to do; it may be tried again.
        """
        ...

    async def mounts(self, pod: Pod, container: str, variables: Sequence[tuple[str, str]]) -> Sequence[Mount]:
        """The mounts of one of its containers, each time it is to be created; only after `ensure`.

        subPath is resolved safely, and subPathExpr with the container's `variables`.

        Raises:
            VolumeError: a path leads out of its volume, names a variable that is not set, or cannot be made.
        """
        ...

    async def remove(self, pod_uid: str) -> None:
        """Unmount and remove all of the pod's, its folder included; nothing of other's is followed or touched.

        Raises:
            VolumeError: something is still mounted there; nothing was removed that is not the pod's, try again.
        """
        ...

    def known(self) -> set[str]:
        """Uids of the pods of which something is on disk, read from disk (a former kubelet may have left it)."""
        ...


class Objects(Protocol):
    """ConfigMaps and Secrets that pods of this node name.

    What held pods name is watched; the owner is told by the callback it was made with (pod uid) when it changed.
    Whatever else is asked for is read from the server each time.
    """

    def hold(self, pod: Pod) -> None:
        """Watch what the pod names (volumes, variables, pull secrets), as of this version of it."""
        ...

    def release(self, pod_uid: str) -> None:
        """Watch it no longer, unless other pods name it."""
        ...

    async def config_map(self, namespace: str, name: str) -> ConfigMap:
        """Raises NotFound and the other errors of the client."""
        ...

    async def secret(self, namespace: str, name: str) -> Secret:
        """Likewise."""
        ...


class Token(NamedTuple):
    """A service account's token; it is no longer good at `expires_at` and to be renewed from `renew_at` on.

    Both in seconds since the epoch.
    """

    value: str
    expires_at: float
    renew_at: float


class Tokens(Protocol):
    """Tokens of service accounts, bound to pods."""

    async def token(self, pod: Pod, audience: str, expiration_seconds: int) -> Token:
        """A token that is good for a while yet; kept until 80 % of its life is over.

        Raises:
            StatusError: there is none, and none could be had.
        """
        ...

    def forget(self, pod_uid: str) -> None:
        """Drop the tokens of a pod."""
        ...


class Services(Protocol):
    """The Services of the cluster, for the variables that name them."""

    async def wait_synced(self) -> None:
        """Return when they are known."""
        ...

    def in_namespace(self, namespace: str) -> Sequence[Service]:
        """Those of a namespace."""
        ...


class Environment(Protocol):
    """Variables of containers."""

    async def variables(
        self, pod: Pod, container: str, pod_ips: Sequence[str], host_ip: str
    ) -> Sequence[tuple[str, str]]:
        """`env` and `envFrom` resolved, variables of services before them, `$(NAME)` expanded; upstream's order.

        Raises:
            ContainerConfigError: which key or object is missing (CreateContainerConfigError).
        """
        ...


class ContainerOnNode(NamedTuple):
    """A container as those find it who look into it from outside; `log_path` is where the runtime writes its log."""

    id: str
    name: str
    pod_uid: str
    sandbox_id: str
    attempt: int
    is_running: bool
    log_path: Path
    tty: bool = False
    stdin: bool = False
    stdin_once: bool = False


class SandboxOnNode(NamedTuple):
    """A pod's sandbox that is up; `ips` is empty on the node's own network."""

    id: str
    pod_uid: str
    ips: Sequence[str] = ()


class PodsOnNode(Protocol):
    """The way from names to what runs, for logs, exec, attach and port-forward."""

    def container(self, namespace: str, pod: str, container: str, *, previous: bool = False) -> ContainerOnNode:
        """The newest container of this name, or the one before it; an empty name means the pod's only one.

        Raises:
            StatusError: NotFound or BadRequest, in the words Kubernetes has for it.
        """
        ...

    def sandbox(self, namespace: str, pod: str) -> SandboxOnNode:
        """The sandbox that is up.

        Raises:
            StatusError: NotFound.
        """
        ...
