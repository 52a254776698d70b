"""Has images there when containers need them: pull policies, secrets, back-off, one pull for all who wait for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.component.log import Logger
from kubewire.cri.v1.api_pb2 import AuthConfig
from kubewire.kubelet.contracts import Objects
from kubewire.kubelet.errors import ImageTrouble, RuntimeCallError
from kubewire.kubelet.images.credentials import credentials_in
from kubewire.kubelet.images.names import default_policy, repository_of
from kubewire.kubelet.runtime.contracts import Image, Images
from kubewire.machinery.errors import StatusError

_LOG: Final = Logger("kubelet.images")
_FIRST_SECONDS: Final = 10.0
_LIMIT_SECONDS: Final = 300.0
_NEVER_SECONDS: Final = 10.0

Tell = Callable[[str, str, str], None]
"""Told what happens, for Events: type, reason, message."""


class _Failure(NamedTuple):
    """What pulling an image for a pod came to last."""

    seconds: float
    message: str


class ImagePuller:
    """Pulls side by side, and each image once for all who want it with the same secrets. Run it in a TaskGroup.

    Attributes:
        used_at: when each image was last wanted, by its id, by `time.monotonic`.
    """

    def __init__(self, runtime: Images, objects: Objects) -> None:
        self._runtime = runtime
        self._objects = objects
        self._pulls: dict[tuple[str, bytes], asyncio.Task[RuntimeCallError | None]] = {}
        self._failures: dict[tuple[str, str], _Failure] = {}
        self._group: asyncio.TaskGroup | None = None
        self.used_at: dict[str, float] = {}

    async def run(self) -> None:
        """Own the pulls until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            await asyncio.get_running_loop().create_future()

    async def ensure(self, pod: Pod, container: Container, tell: Tell) -> Image:
        """The container's image, pulled if its policy asks for that.

        Raises:
            ImageTrouble: it is not there, and why.
        """
        name = container.image
        policy = container.imagePullPolicy or default_policy(name)
        found = await self._look(name)
        if found is not None and policy != "Always":
            tell("Normal", "Pulled", f'Container image "{name}" already present on machine')
        elif policy == "Never":
            message = f'Container image "{name}" is not present with pull policy of Never'
            tell("Warning", "ErrImageNeverPull", message)
            raise ImageTrouble("ErrImageNeverPull", message, _NEVER_SECONDS)
        else:
            found = await self._pull_for(pod, name, tell)
        self.used_at[found.id] = time.monotonic()
        return found

    def forget(self, pod_uid: str) -> None:
        """The pod is gone, and what it waited for."""
        for key in [key for key in self._failures if key[0] == pod_uid]:
            del self._failures[key]

    async def _look(self, name: str) -> Image | None:
        try:
            return await self._runtime.image(name)
        except RuntimeCallError as error:
            if error.code == "INVALID_ARGUMENT" or "parse" in error.detail:
                message = f'Failed to apply default image tag "{name}": {error.detail}'
                raise ImageTrouble("InvalidImageName", message, _LIMIT_SECONDS) from None
            raise ImageTrouble("ImageInspectError", f'Failed to inspect image "{name}": {error}', 1.0) from None

    async def _pull_for(self, pod: Pod, name: str, tell: Tell) -> Image:
        key = (pod.metadata.uid, name)
        tell("Normal", "Pulling", f'Pulling image "{name}"')
        began = time.monotonic()
        try:
            await self._pulled(pod, name)
            found = await self._runtime.image(name)
        except RuntimeCallError as error:
            raise self._failed(key, name, str(error), tell) from None
        if found is None:
            raise self._failed(key, name, "it was pulled and is not there", tell)
        self._failures.pop(key, None)
        seconds = time.monotonic() - began
        message = f'Successfully pulled image "{name}" in {seconds:.3f}s. Image size: {found.size} bytes.'
        tell("Normal", "Pulled", message)
        return found

    def _failed(self, key: tuple[str, str], name: str, why: str, tell: Tell) -> ImageTrouble:
        before = self._failures.get(key)
        seconds = _FIRST_SECONDS if before is None else min(2 * before.seconds, _LIMIT_SECONDS)
        self._failures[key] = _Failure(seconds, why)
        tell("Warning", "Failed", f'Failed to pull image "{name}": {why}')
        tell("Warning", "Failed", "Error: ErrImagePull")
        return ImageTrouble("ErrImagePull", f'failed to pull image "{name}": {why}', seconds)

    async def _pulled(self, pod: Pod, name: str) -> None:
        """Pull, with each of the pod's secrets that fit until one does."""
        failure: RuntimeCallError | None = None
        for auth in await self._credentials(pod, name):
            try:
                await self._shared(name, auth)
            except RuntimeCallError as error:
                failure = error
            else:
                return
        if failure is not None:
            raise failure

    async def _shared(self, name: str, auth: AuthConfig | None) -> None:
        """One pull for all who want the same; it goes on although one of them leaves."""
        key = (name, b"" if auth is None else auth.SerializeToString(deterministic=True))
        task = self._pulls.get(key)
        if task is None:
            assert self._group is not None, "run() comes first"
            task = self._pulls[key] = self._group.create_task(self._guarded(key, name, auth))
        failure = await asyncio.shield(task)
        if failure is not None:
            raise failure

    async def _guarded(self, key: tuple[str, bytes], name: str, auth: AuthConfig | None) -> RuntimeCallError | None:
        """Pull; a failure is handed to who waits, and is none of the group's."""
        try:
            await self._runtime.pull_image(name, auth)
        except RuntimeCallError as error:
            return error
        else:
            return None
        finally:
            del self._pulls[key]

    async def _credentials(self, pod: Pod, name: str) -> list[AuthConfig | None]:
        """What the pod's secrets hold for the image's registry; nothing: as anybody."""
        found: list[AuthConfig | None] = []
        for reference in pod.spec.imagePullSecrets:
            try:
                secret = await self._objects.secret(pod.metadata.namespace, reference.name)
            except StatusError as error:
                _LOG.info("pull secret cannot be read", secret=reference.name, why=error)
            else:
                found += credentials_in(secret, repository_of(name))
        return found or [None]
