"""A runtime in which nothing runs: sandboxes and containers are entries that go through their life cycle.

For nodes without containerd, for thousands of pods on a desk, and for tests in virtual time. Containers run until they
are stopped, unless annotations of the pod or a script say otherwise.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import count
from typing import Final, NamedTuple

from kubewire.cri.v1.api_pb2 import AuthConfig, ContainerConfig, PodSandboxConfig
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.contracts import (
    Condition,
    Container,
    Filesystem,
    Image,
    Listed,
    OnChange,
    Phase,
    PodIdentity,
    RuntimePod,
    Sandbox,
    Usage,
    Version,
    sandbox_state,
)
from kubewire.kubelet.runtime.labels import identity_of

RUN_SECONDS: Final = "simulated.kubewire.io/run-seconds"
"""Annotation of a pod: its containers end by themselves after so long."""
EXIT_CODE: Final = "simulated.kubewire.io/exit-code"
"""Annotation of a pod: with which code they do; 0 unless set."""

_ASKED_AT_MOST: Final = 1000
_POD_RANGE: Final = "10.88.0.0/16"
"""Where pods get addresses from while the node has no range of its own."""
_RESERVED: Final = 2
"""The first addresses of a range: the network's and the gateway's."""
_TERMINATED: Final = 143
_KILLED: Final = 137


class Ending(NamedTuple):
    """How a container ends by itself; `stop_seconds` is how long it takes to end once it is asked to."""

    after_seconds: float | None = None
    exit_code: int = 0
    reason: str = ""
    stop_seconds: float = 0.0


Script = Callable[[PodSandboxConfig, ContainerConfig], Ending]
"""Says how a container will end."""


def annotated(sandbox: PodSandboxConfig, _: ContainerConfig) -> Ending:
    """As the pod's annotations say; without them it runs until it is stopped."""
    seconds, code = sandbox.annotations.get(RUN_SECONDS), sandbox.annotations.get(EXIT_CODE, "0")
    try:
        return Ending(float(seconds) if seconds else None, int(code))
    except ValueError:
        return Ending()


@dataclass(slots=True)
class _Pod:
    identity: PodIdentity
    sandbox: Sandbox
    config: PodSandboxConfig


@dataclass(slots=True)
class _Entry:
    container: Container
    ending: Ending
    timer: asyncio.TimerHandle | None = None


class SimulatedRuntime:
    """Fills `contracts.Runtime`. Make it inside a running loop.

    Attributes:
        script: how containers end.
        missing: names of images that are not there; pulling brings them.
        refusals: by CRI call, what the next calls of that name fail with, one each.
        asked: the last calls that changed something, in order.
    """

    is_simulated: Final = True

    def __init__(
        self,
        *,
        wall_clock: Callable[[], float] = time.time,
        script: Script = annotated,
        pod_range: Callable[[], str] = lambda: "",
    ) -> None:
        """`pod_range` tells the node's range of pod addresses, once it has one."""
        self.script = script
        self.missing: set[str] = set()
        self.refusals: dict[str, list[RuntimeCallError]] = {}
        self.asked: MutableSequence[str] = deque(maxlen=_ASKED_AT_MOST)
        self._wall = wall_clock
        self._pod_range = pod_range
        self._ids = count(1)
        self._sandboxes: dict[str, _Pod] = {}
        self._containers: dict[str, _Entry] = {}
        # Ids of a pod's sandboxes by its uid, and of a sandbox's containers.
        self._of_pod: dict[str, list[str]] = {}
        self._of_sandbox: dict[str, list[str]] = {}
        self._images: dict[str, Image] = {}
        self._listeners: list[OnChange] = []

    async def version(self) -> Version:
        """See `Runtime.version`."""
        return Version("simulated", "0.1")

    async def conditions(self) -> Sequence[Condition]:
        """See `Runtime.conditions`."""
        return [Condition("RuntimeReady", status=True), Condition("NetworkReady", status=True)]

    async def list(self) -> Sequence[Listed]:
        """See `Runtime.list`."""
        states: dict[PodIdentity, set[tuple[str, str]]] = {}
        for one in self._sandboxes.values():
            state = sandbox_state(is_ready=one.sandbox.is_ready)
            states.setdefault(one.identity, set()).add((one.sandbox.id, state))
        for entry in self._containers.values():
            found = self._sandboxes.get(entry.container.sandbox_id)
            if found is not None:
                states[found.identity].add((entry.container.id, entry.container.phase.value))
        return [Listed(identity, frozenset(seen)) for identity, seen in states.items()]

    async def pod(self, identity: PodIdentity) -> RuntimePod:
        """See `Runtime.pod`."""
        pods = [self._sandboxes[one] for one in self._of_pod.get(identity.uid, ())]
        containers = [entry.container for one in pods for entry in self._in(one.sandbox.id)]
        return RuntimePod(identity, tuple(one.sandbox for one in reversed(pods)), tuple(reversed(containers)))

    async def usage(self) -> Sequence[Usage]:
        """See `Runtime.usage`: nothing runs, nothing is used."""
        return []

    async def follow(self, on_change: OnChange) -> None:
        """See `Runtime.follow`."""
        self._listeners.append(on_change)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._listeners.remove(on_change)

    async def close(self) -> None:
        """See `Runtime.close`."""
        for entry in self._containers.values():
            _stop_timer(entry)

    # ---------------------------------------------------------------------------------- sandboxes and containers

    async def run_sandbox(self, config: PodSandboxConfig, handler: str) -> str:
        """See `Sandboxes.run_sandbox`."""
        self._ask("RunPodSandbox", config.metadata.name)
        self._refuse_taken(config, handler)
        sandbox_id, number = self._made("sandbox")
        on_host = config.linux.security_context.namespace_options.network == 2
        ips = () if on_host else (self._address(number),)
        sandbox = Sandbox(sandbox_id, config.metadata.attempt, is_ready=True, created_at=self._wall(), ips=ips)
        self._of_pod.setdefault(config.metadata.uid, []).append(sandbox_id)
        self._sandboxes[sandbox_id] = _Pod(identity_of(config.labels), sandbox, config)
        return sandbox_id

    def _address(self, number: int) -> str:
        """The next address of the range that no sandbox has; in a full range, one that was given already."""
        network = ip_network(self._pod_range() or _POD_RANGE)
        places = range(_RESERVED, network.num_addresses - 1)
        taken = {one.sandbox.ips[0] for one in self._sandboxes.values() if one.sandbox.ips}
        for step in range(len(places)):
            address = str(network[places[(number - 1 + step) % len(places)]])
            if address not in taken:
                return address
        return str(network[places[(number - 1) % len(places)]])

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """See `Sandboxes.stop_sandbox`."""
        found = self._sandboxes.get(sandbox_id)
        if found is None or not found.sandbox.is_ready:
            return
        self._ask("StopPodSandbox", found.identity.name)
        for entry in self._in(sandbox_id):
            self._end(entry.container.id, _KILLED, "")
        found.sandbox = replace(found.sandbox, is_ready=False, ips=())
        self._tell(sandbox_id)

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """See `Sandboxes.remove_sandbox`."""
        found = self._sandboxes.get(sandbox_id)
        if found is None:
            return
        self._ask("RemovePodSandbox", found.identity.name)
        for entry in self._in(sandbox_id):
            _stop_timer(entry)
            del self._containers[entry.container.id]
        self._of_sandbox.pop(sandbox_id, None)
        self._of_pod[found.identity.uid].remove(sandbox_id)
        if not self._of_pod[found.identity.uid]:
            del self._of_pod[found.identity.uid]
        del self._sandboxes[sandbox_id]
        self._tell(sandbox_id)

    async def create_container(self, sandbox_id: str, config: ContainerConfig, sandbox: PodSandboxConfig) -> str:
        """See `Sandboxes.create_container`."""
        self._ask("CreateContainer", config.metadata.name)
        found = self._sandboxes.get(sandbox_id)
        if found is None or not found.sandbox.is_ready:
            raise RuntimeCallError("CreateContainer", "NOT_FOUND", f"sandbox {sandbox_id} is not there")
        taken = (config.metadata.name, config.metadata.attempt)
        if any((one.container.name, one.container.attempt) == taken for one in self._in(sandbox_id)):
            raise RuntimeCallError("CreateContainer", "ALREADY_EXISTS", f"container {taken} is there already")
        if await self.image(config.image.image) is None:
            raise RuntimeCallError("CreateContainer", "NOT_FOUND", f"image {config.image.image!r} is not there")
        container_id, _ = self._made("container")
        container = Container(
            container_id,
            sandbox_id,
            config.metadata.name,
            config.metadata.attempt,
            Phase.CREATED,
            image=config.image.image,
            image_ref=config.image.image,
            created_at=self._wall(),
            annotations=dict(config.annotations),
        )
        self._of_sandbox.setdefault(sandbox_id, []).append(container_id)
        self._containers[container_id] = _Entry(container, self.script(sandbox, config))
        return container_id

    async def start_container(self, container_id: str) -> None:
        """See `Sandboxes.start_container`."""
        entry = self._entry("StartContainer", container_id)
        self._ask("StartContainer", entry.container.name)
        entry.container = replace(entry.container, phase=Phase.RUNNING, started_at=self._wall())
        ending = entry.ending
        if ending.after_seconds is not None:
            entry.timer = asyncio.get_running_loop().call_later(
                ending.after_seconds, self._end, container_id, ending.exit_code, ending.reason
            )

    async def stop_container(self, container_id: str, grace_seconds: int) -> None:
        """See `Sandboxes.stop_container`."""
        entry = self._containers.get(container_id)
        if entry is None or not entry.container.is_running:
            return
        self._ask("StopContainer", f"{entry.container.name} {grace_seconds}")
        seconds = entry.ending.stop_seconds
        if seconds:
            await asyncio.sleep(min(seconds, grace_seconds))
        self._end(container_id, _TERMINATED if seconds <= grace_seconds and grace_seconds else _KILLED, "")

    async def remove_container(self, container_id: str) -> None:
        """See `Sandboxes.remove_container`."""
        entry = self._containers.pop(container_id, None)
        if entry is not None:
            self.asked.append(f"RemoveContainer {entry.container.name}")
            self._of_sandbox[entry.container.sandbox_id].remove(container_id)
            _stop_timer(entry)
            self._tell(container_id)

    async def end_stray(self, container_id: str) -> None:
        """See `Sandboxes.end_stray`: books and containers are the same here."""

    async def reopen_log(self, container_id: str) -> None:
        """See `Sandboxes.reopen_log`: nothing logs."""

    # ---------------------------------------------------------------------------------------------------- images

    async def image(self, name: str) -> Image | None:
        """See `Images.image`: all are there but those that are said to be missing."""
        if name in self.missing:
            return None
        return self._images.setdefault(name, Image(id=name, tags=(name,), size=1 << 20))

    async def pull_image(self, name: str, auth: AuthConfig | None) -> str:
        """See `Images.pull_image`."""
        self._ask("PullImage", name if auth is None else f"{name} as {auth.username}")
        self.missing.discard(name)
        return name

    async def images(self) -> Sequence[Image]:
        """See `Images.images`."""
        return list(self._images.values())

    async def remove_image(self, image_id: str) -> None:
        """See `Images.remove_image`."""
        self._ask("RemoveImage", image_id)
        self._images.pop(image_id, None)

    async def image_filesystem(self) -> Filesystem | None:
        """See `Images.image_filesystem`."""
        return None

    async def sandbox_image(self) -> str:
        """See `Images.sandbox_image`."""
        return ""

    # ------------------------------------------------------------------------------------------- what happens

    def end(self, container_id: str, exit_code: int, reason: str = "") -> None:
        """Have a container end now, as if by itself."""
        self._end(container_id, exit_code, reason)

    def _end(self, container_id: str, exit_code: int, reason: str) -> None:
        entry = self._containers.get(container_id)
        if entry is None or not entry.container.is_running:
            return
        _stop_timer(entry)
        entry.container = replace(
            entry.container,
            phase=Phase.EXITED,
            finished_at=self._wall(),
            exit_code=exit_code,
            reason=reason or ("Completed" if exit_code == 0 else "Error"),
        )
        self._tell(container_id)

    def _in(self, sandbox_id: str) -> Sequence[_Entry]:
        return [self._containers[one] for one in self._of_sandbox.get(sandbox_id, ())]

    def _entry(self, operation: str, container_id: str) -> _Entry:
        entry = self._containers.get(container_id)
        if entry is None:
            raise RuntimeCallError(operation, "NOT_FOUND", f"container {container_id} is not there")
        return entry

    def _made(self, kind: str) -> tuple[str, int]:
        number = next(self._ids)
        return f"{kind}-{number}", number

    def _refuse_taken(self, config: PodSandboxConfig, handler: str) -> None:
        """A name is taken once, as in every runtime: what is asked for twice is not made twice."""
        if handler:
            raise RuntimeCallError("RunPodSandbox", "UNKNOWN", f"no runtime for {handler!r} is configured")
        wanted = (config.metadata.uid, config.metadata.attempt)
        known = [self._sandboxes[one].sandbox.attempt for one in self._of_pod.get(config.metadata.uid, ())]
        if config.metadata.attempt in known:
            raise RuntimeCallError("RunPodSandbox", "ALREADY_EXISTS", f"sandbox {wanted} is there already")

    def _ask(self, operation: str, about: str) -> None:
        refusals = self.refusals.get(operation)
        if refusals:
            raise refusals.pop(0)
        self.asked.append(f"{operation} {about}")

    def _tell(self, changed_id: str) -> None:
        for listener in list(self._listeners):
            listener(changed_id, "")


def _stop_timer(entry: _Entry) -> None:
    if entry.timer is not None:
        entry.timer.cancel()
        entry.timer = None
