"""Containers over CRI v1: containerd and others, on a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import orjson

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime import cri_views as views
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import (
    Condition,
    Container,
    Filesystem,
    Image,
    Listed,
    OnChange,
    PodIdentity,
    RuntimePod,
    Sandbox,
    Usage,
    Version,
)
from kubewire.kubelet.runtime.cri_calls import CALL_SECONDS, IMAGE, RUNTIME, CallMetrics, CriCalls
from kubewire.kubelet.runtime.cri_events import follow
from kubewire.kubelet.runtime.stray_tasks import end_task

_SANDBOX_SECONDS: Final = 2 * CALL_SECONDS
"""CNI plugins may wait for each other on a node where many pods start."""
_PULL_SECONDS: Final = 3600.0
_STOP_MARGIN_SECONDS: Final = 30.0


class CriRuntime:
    """Fills `contracts.Runtime`. Make it inside a running loop, and close it when done."""

    is_simulated: Final = False

    def __init__(self, socket: str, metrics: CallMetrics) -> None:
        self.calls: Final = CriCalls(socket, metrics)

    async def version(self) -> Version:
        """See `Runtime.version`."""
        found = await self.calls.call(
            f"{RUNTIME}Version", cri.VersionRequest(), cri.VersionResponse, name="version", seconds=5
        )
        return Version(found.runtime_name, found.runtime_version)

    async def conditions(self) -> Sequence[Condition]:
        """See `Runtime.conditions`."""
        found = await self.calls.call(
            f"{RUNTIME}Status", cri.StatusRequest(), cri.StatusResponse, name="status", seconds=10
        )
        return [views.condition(one) for one in found.status.conditions]

    async def list(self) -> Sequence[Listed]:
        """See `Runtime.list`."""
        return views.listed(await self._sandboxes(), await self._containers())

    async def pod(self, identity: PodIdentity) -> RuntimePod:
        """See `Runtime.pod`."""
        selector = {labels.POD_UID: identity.uid}
        sandboxes, containers = await asyncio.gather(self._sandboxes_of(selector), self._containers_of(selector))
        return RuntimePod(
            identity,
            tuple(sorted(sandboxes, key=lambda one: (one.created_at, one.attempt), reverse=True)),
            tuple(sorted(containers, key=lambda one: (one.created_at, one.attempt), reverse=True)),
        )

    async def usage(self) -> Sequence[Usage]:
        """See `Runtime.usage`."""
        found = await self.calls.call(
            f"{RUNTIME}ListContainerStats",
            cri.ListContainerStatsRequest(),
            cri.ListContainerStatsResponse,
            name="list_container_stats",
        )
        return [views.usage(one) for one in found.stats]

    async def follow(self, on_change: OnChange) -> None:
        """See `Runtime.follow`."""
        await follow(self.calls, on_change)

    async def close(self) -> None:
        """See `Runtime.close`."""
        await self.calls.close()

    # ---------------------------------------------------------------------------------- sandboxes and containers

    async def run_sandbox(self, config: cri.PodSandboxConfig, handler: str) -> str:
        """See `Sandboxes.run_sandbox`."""
        request = cri.RunPodSandboxRequest(config=config, runtime_handler=handler)
        found = await self.calls.call(
            f"{RUNTIME}RunPodSandbox",
            request,
            cri.RunPodSandboxResponse,
            name="run_podsandbox",
            seconds=_SANDBOX_SECONDS,
        )
        return found.pod_sandbox_id

    async def stop_sandbox(self, sandbox_id: str) -> None:
        """See `Sandboxes.stop_sandbox`."""
        request = cri.StopPodSandboxRequest(pod_sandbox_id=sandbox_id)
        await self._unless_gone(f"{RUNTIME}StopPodSandbox", request, name="stop_podsandbox")

    async def remove_sandbox(self, sandbox_id: str) -> None:
        """See `Sandboxes.remove_sandbox`."""
        request = cri.RemovePodSandboxRequest(pod_sandbox_id=sandbox_id)
        await self._unless_gone(f"{RUNTIME}RemovePodSandbox", request, name="remove_podsandbox")

    async def create_container(
        self, sandbox_id: str, config: cri.ContainerConfig, sandbox: cri.PodSandboxConfig
    ) -> str:
        """See `Sandboxes.create_container`."""
        request = cri.CreateContainerRequest(pod_sandbox_id=sandbox_id, config=config, sandbox_config=sandbox)
        found = await self.calls.call(
            f"{RUNTIME}CreateContainer", request, cri.CreateContainerResponse, name="create_container"
        )
        return found.container_id

    async def start_container(self, container_id: str) -> None:
        """See `Sandboxes.start_container`."""
        request = cri.StartContainerRequest(container_id=container_id)
        await self.calls.call(f"{RUNTIME}StartContainer", request, cri.StartContainerResponse, name="start_container")

    async def stop_container(self, container_id: str, grace_seconds: int) -> None:
        """See `Sandboxes.stop_container`."""
        request = cri.StopContainerRequest(container_id=container_id, timeout=grace_seconds)
        seconds = grace_seconds + _STOP_MARGIN_SECONDS
        await self._unless_gone(f"{RUNTIME}StopContainer", request, name="stop_container", seconds=seconds)

    async def remove_container(self, container_id: str) -> None:
        """See `Sandboxes.remove_container`."""
        request = cri.RemoveContainerRequest(container_id=container_id)
        try:
            await self._unless_gone(f"{RUNTIME}RemoveContainer", request, name="remove_container")
        except RuntimeCallError as error:
            if error.code != "FAILED_PRECONDITION":
                raise
            await end_task(self.calls, container_id)
            await self._unless_gone(f"{RUNTIME}RemoveContainer", request, name="remove_container")

    async def end_stray(self, container_id: str) -> None:
        """See `Sandboxes.end_stray`."""
        await end_task(self.calls, container_id)

    async def reopen_log(self, container_id: str) -> None:
        """See `Sandboxes.reopen_log`."""
        request = cri.ReopenContainerLogRequest(container_id=container_id)
        path, name = f"{RUNTIME}ReopenContainerLog", "reopen_container_log"
        await self.calls.call(path, request, cri.ReopenContainerLogResponse, name=name)

    # ---------------------------------------------------------------------------------------------------- images

    async def image(self, name: str) -> Image | None:
        """See `Images.image`."""
        request = cri.ImageStatusRequest(image=cri.ImageSpec(image=name))
        found = await self.calls.call(f"{IMAGE}ImageStatus", request, cri.ImageStatusResponse, name="image_status")
        return views.image(found.image) if found.image.id else None

    async def pull_image(self, name: str, auth: cri.AuthConfig | None) -> str:
        """See `Images.pull_image`."""
        request = cri.PullImageRequest(image=cri.ImageSpec(image=name), auth=auth)
        found = await self.calls.call(
            f"{IMAGE}PullImage", request, cri.PullImageResponse, name="pull_image", seconds=_PULL_SECONDS
        )
        return found.image_ref

    async def images(self) -> Sequence[Image]:
        """See `Images.images`."""
        found = await self.calls.call(
            f"{IMAGE}ListImages", cri.ListImagesRequest(), cri.ListImagesResponse, name="list_images"
        )
        return [views.image(one) for one in found.images]

    async def remove_image(self, image_id: str) -> None:
        """See `Images.remove_image`."""
        request = cri.RemoveImageRequest(image=cri.ImageSpec(image=image_id))
        await self._unless_gone(f"{IMAGE}RemoveImage", request, name="remove_image")

    async def image_filesystem(self) -> Filesystem | None:
        """See `Images.image_filesystem`."""
        found = await self.calls.call(
            f"{IMAGE}ImageFsInfo", cri.ImageFsInfoRequest(), cri.ImageFsInfoResponse, name="image_fs_info"
        )
        for one in found.image_filesystems:
            return Filesystem(one.fs_id.mountpoint, one.used_bytes.value)
        return None

    async def sandbox_image(self) -> str:
        """See `Images.sandbox_image`: containerd tells it among its settings."""
        found = await self.calls.call(
            f"{RUNTIME}Status", cri.StatusRequest(verbose=True), cri.StatusResponse, name="status", seconds=10
        )
        try:
            settings = orjson.loads(found.info.get("config", "{}"))
        except orjson.JSONDecodeError:
            return ""
        return str(settings.get("sandboxImage", "")) if isinstance(settings, dict) else ""

    # ----------------------------------------------------------------------------------------------------- calls

    async def _sandboxes_of(self, selector: dict[str, str]) -> Sequence[Sandbox]:
        listed = await self._sandboxes(selector)
        found = await asyncio.gather(*(self._sandbox_status(one.id) for one in listed))
        return [views.sandbox(status) for status in found if status is not None]

    async def _containers_of(self, selector: dict[str, str]) -> Sequence[Container]:
        listed = await self._containers(selector)
        found = await asyncio.gather(*(self._container_status(one.id) for one in listed))
        pairs = zip(found, listed, strict=True)
        return [views.container(status, one.pod_sandbox_id) for status, one in pairs if status is not None]

    async def _sandboxes(self, selector: dict[str, str] | None = None) -> Sequence[cri.PodSandbox]:
        request = cri.ListPodSandboxRequest()
        if selector:
            request.filter.label_selector.update(selector)
        answer = await self.calls.call(
            f"{RUNTIME}ListPodSandbox", request, cri.ListPodSandboxResponse, name="list_podsandbox"
        )
        return answer.items

    async def _containers(self, selector: dict[str, str] | None = None) -> Sequence[cri.Container]:
        request = cri.ListContainersRequest()
        if selector:
            request.filter.label_selector.update(selector)
        answer = await self.calls.call(
            f"{RUNTIME}ListContainers", request, cri.ListContainersResponse, name="list_containers"
        )
        return answer.containers

    async def _sandbox_status(self, sandbox_id: str) -> cri.PodSandboxStatus | None:
        request = cri.PodSandboxStatusRequest(pod_sandbox_id=sandbox_id)
        try:
            answer = await self.calls.call(
                f"{RUNTIME}PodSandboxStatus", request, cri.PodSandboxStatusResponse, name="podsandbox_status"
            )
        except RuntimeCallError as error:
            if error.is_not_found:
                return None
            raise
        return answer.status

    async def _container_status(self, container_id: str) -> cri.ContainerStatus | None:
        request = cri.ContainerStatusRequest(container_id=container_id)
        try:
            answer = await self.calls.call(
                f"{RUNTIME}ContainerStatus", request, cri.ContainerStatusResponse, name="container_status"
            )
        except RuntimeCallError as error:
            if error.is_not_found:
                return None
            raise
        return answer.status

    async def _unless_gone(
        self, path: str, request: cri.StopPodSandboxRequest | object, *, name: str, seconds: float = CALL_SECONDS
    ) -> None:
        """A call that ends something: what is not there has ended already."""
        try:
            await self.calls.call(path, request, cri.StopPodSandboxResponse, name=name, seconds=seconds)  # type: ignore[arg-type]
        except RuntimeCallError as error:
            if not error.is_not_found:
                raise
