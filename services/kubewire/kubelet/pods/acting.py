"""Does what was decided for one pod: calls to the runtime, volumes, hooks, Events. It decides nothing."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.probe_pb2 import LifecycleHandler
from kubewire.client.events.occurrence import Subject, subject_of
from kubewire.client.events.recorder import EventRecorder
from kubewire.client.objects import ApiObject
from kubewire.client.resources.options import Deleting
from kubewire.client.resources.resource_client import ResourceClient
from kubewire.component.log import Logger
from kubewire.cri.v1.api_pb2 import ContainerConfig, PodSandboxConfig
from kubewire.kubelet.contracts import ContainerExec, Environment, Mount, Volumes
from kubewire.kubelet.errors import (
    ContainerConfigError,
    HookError,
    ImageTrouble,
    RuntimeCallError,
    VolumeError,
)
from kubewire.kubelet.images.puller import ImagePuller
from kubewire.kubelet.metrics import KubeletMetrics
from kubewire.kubelet.pods import actions
from kubewire.kubelet.pods.cgroups import remove_cgroup
from kubewire.kubelet.pods.configuration import (
    DEFAULT_MESSAGE_PATH,
    Ingredients,
    NodeFacts,
    container_config,
    identity_of,
    sandbox_config,
)
from kubewire.kubelet.pods.containers import Spec
from kubewire.kubelet.pods.folders import Folders
from kubewire.kubelet.pods.hooks import run_hook
from kubewire.kubelet.pods.host_names import hosts_file, node_hosts_file
from kubewire.kubelet.pods.memory import Memory, Trouble
from kubewire.kubelet.pods.picture import Picture
from kubewire.kubelet.pods.resources import cgroup_parent
from kubewire.kubelet.pods.security import ImageUser
from kubewire.kubelet.pods.status_writer import StatusWriter
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Runtime
from kubewire.machinery.errors import Reason, StatusError

_LOG: Final = Logger("kubelet.pods")
_HOSTS: Final = "/etc/hosts"
_LEAST_STOP_SECONDS: Final = 2
"""What a container gets between TERM and KILL when its preStop hook has used up the grace period."""
_HOOK_SECONDS: Final = 3600.0
_START_ERROR: Final = "StartError"
"""What containerd calls the end of a container whose start failed or was interrupted."""

OffLoop = Callable[[Callable[[], None]], Awaitable[None]]
"""Has something done that waits for the disk, and waits for it without holding the loop: `asyncio.to_thread`."""


class Interruption(Protocol):
    """Says whether an action may be cancelled at the moment without leaving half of it behind."""

    async def allow(self) -> None:
        """From here on it may; the runtime is looked at first where it was asked for something."""
        ...

    def forbid(self) -> None:
        """From here on it may not."""
        ...


class Failed(Exception):
    """An action failed; it may be tried again in `retry_seconds`, None: later each time."""

    def __init__(self, trouble: Trouble, retry_seconds: float | None = None) -> None:
        super().__init__(trouble.message)
        self.trouble = trouble
        self.retry_seconds = retry_seconds


@dataclass(frozen=True, slots=True)
class Tools:
    """What all pods of the node share."""

    runtime: Runtime
    volumes: Volumes
    environment: Environment
    commands: ContainerExec
    images: ImagePuller
    recorder: EventRecorder
    pods: ResourceClient[Pod]
    statuses: StatusWriter
    folders: Folders
    metrics: KubeletMetrics
    facts: Callable[[], NodeFacts]
    host_ips: Callable[[], tuple[str, ...]]
    wall_clock: Callable[[], float]
    off_loop: OffLoop


class Acting:
    """The acts of one pod."""

    def __init__(self, tools: Tools, memory: Memory) -> None:
        self._tools = tools
        self._memory = memory
        # Of the image that a container's next start will run.
        self._users: dict[str, ImageUser] = {}

    async def do(self, action: actions.Action, picture: Picture, *, interruption: Interruption) -> None:
        """Do it.

        Raises:
            Failed: it could not be done, and what to tell about it.
        """
        match action:
            case actions.SetUpVolumes():
                await interruption.allow()
                await self._set_up_volumes(picture)
            case actions.CreateSandbox():
                await self._create_sandbox(action, picture)
            case actions.EnsureImage():
                await interruption.allow()
                await self._ensure_image(action, picture)
            case actions.StartContainer():
                await self._start(action, picture, interruption)
            case actions.KillContainer():
                await self._kill(action, picture)
            case actions.CleanUp():
                await self._clean(picture)
            case actions.DeletePod():
                await self._delete(picture)
            case _:
                await self._remove(action, picture)

    def tell(self, picture: Picture, spec: Spec | None, type: str, reason: str, message: str) -> None:
        """Write an Event about the pod or one of its containers."""
        if picture.is_gone:
            return
        about: ApiObject | Subject = picture.pod
        if spec is not None:
            about = subject_of(picture.pod, _field_path(spec))
        self._tools.recorder.event(about, type, reason, message)

    # ------------------------------------------------------------------------------------------- before containers

    async def _set_up_volumes(self, picture: Picture) -> None:
        try:
            await self._tools.volumes.ensure(picture.pod)
        except VolumeError as error:
            self.tell(picture, None, "Warning", "FailedMount", str(error))
            raise Failed(Trouble("FailedMount", str(error))) from None
        self._memory.volumes_at = self._tools.wall_clock()

    async def _create_sandbox(self, action: actions.CreateSandbox, picture: Picture) -> None:
        tools, pod = self._tools, picture.pod
        handler = pod.spec.runtimeClassName
        config = sandbox_config(pod, action.attempt, tools.folders.log_folder(identity_of(pod)), tools.facts())
        tools.folders.make_log_folder(identity_of(pod))
        began = time.monotonic()
        try:
            await tools.runtime.run_sandbox(config, handler)
        except RuntimeCallError as error:
            tools.metrics.starts.sandbox_errors.labels(handler).inc()
            tools.metrics.starts.started_pod_errors.inc()
            message = f"Failed to create pod sandbox: {error.detail}"
            self.tell(picture, None, "Warning", "FailedCreatePodSandBox", message)
            raise Failed(Trouble("FailedCreatePodSandBox", message)) from None
        tools.metrics.starts.sandbox_seconds.labels(handler).observe(time.monotonic() - began)
        tools.metrics.starts.started_pods.inc()

    async def _ensure_image(self, action: actions.EnsureImage, picture: Picture) -> None:
        spec = picture.specs.by_name()[action.name]

        def tell(type: str, reason: str, message: str) -> None:
            self.tell(picture, spec, type, reason, message)

        try:
            image = await self._tools.images.ensure(picture.pod, spec.container, tell)
        except ImageTrouble as error:
            raise Failed(Trouble(error.reason, str(error)), error.retry_seconds) from None
        self._users[action.name] = ImageUser(image.uid, image.username)
        self._memory.images[action.name] = image.id

    # -------------------------------------------------------------------------------------------------- containers

    async def _start(self, action: actions.StartContainer, picture: Picture, interruption: Interruption) -> None:
        spec = picture.specs.by_name()[action.name]
        self._memory.images.pop(action.name, None)
        try:
            container_id = await self._create_and_start(action, picture, spec, interruption)
            self._memory.troubles.pop(action.name, None)
            if spec.container.lifecycle.HasField("postStart"):
                await interruption.allow()
                await self._post_start(picture, spec, container_id)
        except Failed as failed:
            self._tools.metrics.starts.started_container_errors.labels(failed.trouble.reason, _type(spec)).inc()
            raise
        self._tools.metrics.starts.started_containers.labels(_type(spec)).inc()

    async def _create_and_start(
        self, action: actions.StartContainer, picture: Picture, spec: Spec, interruption: Interruption
    ) -> str:
        runtime, pod = self._tools.runtime, picture.pod
        # What variables are made from may have to be waited for.
        await interruption.allow()
        try:
            config, sandbox = await self._configured(action, picture, spec)
        except (ContainerConfigError, VolumeError, OSError) as error:
            raise self._failure(picture, spec, "CreateContainerConfigError", str(error)) from None
        interruption.forbid()
        before = picture.current(spec)
        try:
            if before is not None and before.reason == _START_ERROR:
                await runtime.end_stray(before.id)
            container_id = await runtime.create_container(action.sandbox_id, config, sandbox)
        except RuntimeCallError as error:
            raise self._failure(picture, spec, "CreateContainerError", error.detail) from None
        if before is not None and before.is_ended:
            self._memory.restarts.restarted(before, self._tools.wall_clock())
        self.tell(picture, spec, "Normal", "Created", f"Created container: {spec.name}")
        try:
            await runtime.start_container(container_id)
        except RuntimeCallError as error:
            raise self._failure(picture, spec, "RunContainerError", error.detail) from None
        self.tell(picture, spec, "Normal", "Started", f"Started container {spec.name}")
        _LOG.debug("container started", pod=f"{pod.metadata.namespace}/{pod.metadata.name}", container=spec.name)
        return container_id

    async def _configured(
        self, action: actions.StartContainer, picture: Picture, spec: Spec
    ) -> tuple[ContainerConfig, PodSandboxConfig]:
        """Both messages of the container's making."""
        tools, pod, facts = self._tools, picture.pod, self._tools.facts()
        identity = identity_of(pod)
        ips, hosts = self._ips(picture), tools.host_ips()
        variables = await tools.environment.variables(pod, spec.name, ips, hosts[0] if hosts else "")
        mounts = list(await tools.volumes.mounts(pod, spec.name, variables))
        message_file = tools.folders.make_message_file(identity.uid, spec.name)
        message_path = spec.container.terminationMessagePath or DEFAULT_MESSAGE_PATH
        mounts.append(Mount(message_path, message_file))
        if all(mount.container_path.rstrip("/") != _HOSTS for mount in mounts):
            mounts.append(Mount(_HOSTS, self._hosts(picture, facts, ips)))
        tools.folders.make_log_folder(identity, spec.name)
        made_of = Ingredients(
            action.attempt,
            action.image_ref,
            self._users.get(spec.name, ImageUser()),
            variables,
            mounts,
            message_file,
            tools.folders.log_file(identity, spec.name, action.attempt),
            _target(picture, spec),
        )
        newest = picture.seen.sandboxes[0].attempt if picture.seen.sandboxes else 0
        sandbox = sandbox_config(pod, newest, tools.folders.log_folder(identity), facts)
        return container_config(pod, spec.container, made_of, facts), sandbox

    def _hosts(self, picture: Picture, facts: NodeFacts, ips: tuple[str, ...]) -> Path:
        pod = picture.pod
        if pod.spec.hostNetwork:
            content = node_hosts_file(pod, Path(_HOSTS).read_text(encoding="utf-8", errors="replace"))
        else:
            content = hosts_file(pod, facts.cluster_domain, ips)
        return self._tools.folders.write_hosts(pod.metadata.uid, content)

    def _ips(self, picture: Picture) -> tuple[str, ...]:
        if picture.pod.spec.hostNetwork:
            return self._tools.host_ips()
        sandbox = picture.seen.ready_sandbox
        return sandbox.ips if sandbox is not None else ()

    def _failure(self, picture: Picture, spec: Spec, reason: str, message: str) -> Failed:
        self.tell(picture, spec, "Warning", "Failed", f"Error: {message}")
        return Failed(Trouble(reason, message))

    async def _post_start(self, picture: Picture, spec: Spec, container_id: str) -> None:
        """A container whose postStart hook fails is ended."""
        ips = self._ips(picture)
        try:
            await run_hook(
                spec.container.lifecycle.postStart,
                spec.container,
                container_id,
                ips[0] if ips else "",
                _HOOK_SECONDS,
                self._tools.commands,
            )
        except HookError as error:
            self.tell(picture, spec, "Warning", "FailedPostStartHook", f"PostStartHook failed: {error}")
            deadline = self._tools.wall_clock() + picture.grace_seconds
            message = f"Container {spec.name} failed postStart hook, will be restarted"
            await self._kill(actions.KillContainer(container_id, spec.name, deadline, message), picture)
            raise Failed(Trouble("PostStartHookError", str(error))) from None

    async def _kill(self, action: actions.KillContainer, picture: Picture) -> None:
        """Its preStop hook, then TERM, then KILL, all within the grace period."""
        spec = picture.specs.by_name().get(action.name)
        self.tell(picture, spec, "Normal", "Killing", action.message)
        hook = self._pre_stop(action, picture, spec)
        remaining = self._remaining(action.deadline)
        if hook is not None and spec is not None and remaining > 0:
            try:
                ips = self._ips(picture)
                host = ips[0] if ips else ""
                await run_hook(hook, spec.container, action.id, host, remaining, self._tools.commands)
            except HookError as error:
                self.tell(picture, spec, "Warning", "FailedPreStopHook", f"PreStopHook failed: {error}")
            remaining = max(_LEAST_STOP_SECONDS, self._remaining(action.deadline))
        try:
            await self._tools.runtime.stop_container(action.id, max(0, round(remaining)))
        except RuntimeCallError as error:
            self.tell(picture, spec, "Warning", "FailedKillPod", f"error killing pod: {error}")
            raise Failed(Trouble("FailedKillPod", str(error))) from None

    @staticmethod
    def _pre_stop(action: actions.KillContainer, picture: Picture, spec: Spec | None) -> LifecycleHandler | None:
        """The hook, as the spec has it, or as it was when the container was made if there is no spec any more."""
        if spec is not None and spec.container.lifecycle.HasField("preStop"):
            return spec.container.lifecycle.preStop
        for container in picture.seen.containers:
            if container.id == action.id and labels.PRE_STOP in container.annotations:
                return LifecycleHandler.FromString(bytes.fromhex(container.annotations[labels.PRE_STOP]))
        return None

    def _remaining(self, deadline: float) -> float:
        return max(0.0, deadline - self._tools.wall_clock())

    # ----------------------------------------------------------------------------------------------- what is left

    async def _remove(self, action: actions.Action, picture: Picture) -> None:
        """Remove containers and sandboxes."""
        runtime = self._tools.runtime
        try:
            match action:
                case actions.RemoveContainer():
                    await runtime.remove_container(action.id)
                    await self._tools.off_loop(partial(self._remove_log, picture, action))
                case actions.StopSandbox():
                    await runtime.stop_sandbox(action.id)
                    self._memory.stopped.add(action.id)
                case actions.RemoveSandbox():
                    await runtime.remove_sandbox(action.id)
                case actions.RemoveRemains():
                    await self._remove_remains(picture)
        except RuntimeCallError as error:
            _LOG.warning("the runtime cannot remove", what=action.key, pod=picture.pod.metadata.name, why=error)
            raise Failed(Trouble("FailedKillPod", str(error))) from None

    def _remove_log(self, picture: Picture, action: actions.RemoveContainer) -> None:
        """A container that never ran shares its attempt with the one that will."""
        found = next((one for one in picture.seen.containers if one.id == action.id), None)
        if found is not None and found.started_at:
            self._tools.folders.remove_log(picture.seen.identity, found.name, found.attempt)

    async def _remove_remains(self, picture: Picture) -> None:
        for container in picture.seen.containers:
            await self._tools.runtime.remove_container(container.id)
        for sandbox in picture.seen.sandboxes:
            await self._tools.runtime.remove_sandbox(sandbox.id)
        await self._tools.off_loop(partial(self._tools.folders.remove_logs, picture.seen.identity))
        self._memory.is_removed = True

    async def _clean(self, picture: Picture) -> None:
        uid = picture.pod.metadata.uid
        try:
            await self._tools.volumes.remove(uid)
        except VolumeError as error:
            raise Failed(Trouble("FailedUnMount", str(error))) from None
        cgroup = cgroup_parent(self._tools.facts().cgroup_root, picture.pod)
        await self._tools.off_loop(partial(remove_cgroup, cgroup))
        self._tools.images.forget(uid)
        self._memory.is_cleaned = True

    async def _delete(self, picture: Picture) -> None:
        """The last status first, then the pod itself: nothing of it runs any more."""
        metadata = picture.pod.metadata
        await self._tools.statuses.flush(metadata.uid)
        pods = self._tools.pods.in_namespace(metadata.namespace)
        try:
            await pods.delete(metadata.name, Deleting(grace_period_seconds=0, uid=metadata.uid))
        except StatusError as error:
            if error.reason not in {Reason.NOT_FOUND, Reason.CONFLICT}:
                raise Failed(Trouble("FailedDelete", str(error))) from None
        self._memory.is_deleted = True


def _target(picture: Picture, spec: Spec) -> str:
    """The container whose processes an ephemeral one is to see, if it runs."""
    found = picture.seen.newest(spec.target) if spec.target else None
    return found.id if found is not None and found.is_running else ""


def _field_path(spec: Spec) -> str:
    lists = {"init": "initContainers", "main": "containers", "ephemeral": "ephemeralContainers"}
    return f"spec.{lists[spec.kind.value]}{{{spec.name}}}"


def _type(spec: Spec) -> str:
    return {"init": "init_container", "main": "container", "ephemeral": "ephemeral_container"}[spec.kind.value]
