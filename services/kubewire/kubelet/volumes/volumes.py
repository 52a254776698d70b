"""Sets up the volumes of pods, keeps their files up to date, and removes them.

What is decided (`payload`) is apart from what is done to the disk (`_Disk`), which happens in a thread: file systems
can take their time. All of it may be done again at any time, by another kubelet too: what is on disk counts, and what
is remembered only saves looking at it.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from kubewire.api.core.v1.container_pb2 import Container, VolumeMount
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.volume_pb2 import Volume
from kubewire.kubelet.contracts import Mount, Objects, Token, Tokens
from kubewire.kubelet.environment.containers import container_of, containers_of
from kubewire.kubelet.environment.expansion import expand, unset_references
from kubewire.kubelet.environment.named import fetch
from kubewire.kubelet.environment.resource_fields import Amounts
from kubewire.kubelet.errors import VolumeError
from kubewire.kubelet.volumes.disk import Disk
from kubewire.kubelet.volumes.layout import Layout
from kubewire.kubelet.volumes.owners import fs_group_of
from kubewire.kubelet.volumes.payload import (
    Contents,
    Payload,
    TokenWanted,
    holds_files,
    names_in,
    payload_of,
    tokens_in,
)
from kubewire.kubelet.volumes.sources import is_read_only, refusal_of
from kubewire.machinery.errors import StatusError

RENEWAL_RETRY_SECONDS: Final = 10.0
"""A token that should have been renewed and was not is asked for again this much later."""


class Surroundings(NamedTuple):
    """What volumes need to know and to tell.

    Attributes:
        allocatable: what the node has for pods, as its status says.
        outdated: told the uid of a pod whose files are to be brought up to date (`ensure`).
        wall_clock: seconds since the epoch, which tokens are dated with.
    """

    allocatable: Callable[[], Amounts]
    outdated: Callable[[str], None]
    wall_clock: Callable[[], float] = time.time


class _Plan(NamedTuple):
    """A volume as it should be; `payload` None: it holds no files of ours."""

    volume: Volume
    payload: Payload | None

    def fingerprint(self) -> bytes:
        """Equal for equal plans. What was done is remembered by it, not by its bytes, which may be many."""
        found = hashlib.blake2b(self.volume.SerializeToString(deterministic=True), digest_size=32)
        for path, file in sorted((self.payload or {}).items()):
            found.update(f"{len(path)} {path} {file.mode} {file.uid} {len(file.data)} ".encode())
            found.update(file.data)
        return found.digest()


class PodVolumes:
    """Volumes of the pods of this node (`contracts.Volumes`)."""

    def __init__(self, layout: Layout, disk: Disk, objects: Objects, tokens: Tokens, around: Surroundings) -> None:
        self._layout = layout
        self._disk = disk
        self._objects = objects
        self._tokens = tokens
        self._around = around
        # What is on disk for certain: set up by this process and not changed since.
        self._done: dict[str, dict[str, bytes]] = {}
        # A thread goes on when who waits for it is cancelled: nothing else is done to the pod's folder until it ends.
        self._busy: dict[str, threading.Lock] = {}
        self._renewals: dict[str, asyncio.TimerHandle] = {}

    async def ensure(self, pod: Pod) -> None:
        """Set up the volumes that containers of the pod mount, or bring them up to date.

        Raises:
            VolumeError: one or more cannot be; the others are.
        """
        self._objects.hold(pod)
        volumes = _mounted(pod)
        self._stop_renewal(pod.metadata.uid)
        contents = await self._contents(pod, volumes)
        plans, problems = _plan(volumes, contents)
        done = self._done.setdefault(pod.metadata.uid, {})
        due = [plan for plan in plans if done.get(plan.volume.name) != plan.fingerprint()]
        if due:
            problems |= await asyncio.to_thread(self._set_up, pod, due, done)
        self._renew_later(pod.metadata.uid, contents.tokens.values())
        if problems:
            raise VolumeError("; ".join(_failure(name, problems[name]) for name in sorted(problems)))

    async def mounts(self, pod: Pod, container: str, variables: Sequence[tuple[str, str]]) -> Sequence[Mount]:
        """The mounts of a container that is to be created.

        Raises:
            VolumeError: a path leads out of its volume, names a variable that is not set, or cannot be made.
        """
        spec = container_of(pod, container)
        volumes = {volume.name: volume for volume in pod.spec.volumes}
        values = dict(variables)
        wanted = [(mount, _sub_path(mount, values)) for mount in spec.volumeMounts]
        if any(path for _, path in wanted):
            return await asyncio.to_thread(self._mounts, pod, spec, volumes, wanted)
        return self._mounts(pod, spec, volumes, wanted)

    async def remove(self, pod_uid: str) -> None:
        """Unmount and remove all of the pod's, and stop watching what it named.

        Raises:
            VolumeError: something is still mounted there, or could not be removed; try again.
        """
        self._objects.release(pod_uid)
        self._tokens.forget(pod_uid)
        self._done.pop(pod_uid, None)
        self._stop_renewal(pod_uid)
        await asyncio.to_thread(self._remove, pod_uid)
        self._busy.pop(pod_uid, None)

    def known(self) -> set[str]:
        """Uids of the pods of which something is on disk."""
        return self._layout.known()

    async def _contents(self, pod: Pod, volumes: Sequence[Volume]) -> Contents:
        """What the files of all volumes are made from."""
        names = {named for volume in volumes for named in names_in(volume)}
        wanted = sorted({token for volume in volumes for token in tokens_in(volume)})
        found, tokens = await asyncio.gather(
            fetch(self._objects, pod.metadata.namespace, names),
            asyncio.gather(*(self._token(pod, token) for token in wanted)),
        )
        by_token = dict(zip(wanted, tokens, strict=True))
        return Contents(pod, found, by_token, self._around.allocatable(), fs_group_of(pod))

    async def _token(self, pod: Pod, wanted: TokenWanted) -> Token | StatusError:
        try:
            return await self._tokens.token(pod, wanted.audience, wanted.seconds)
        except StatusError as error:
            return error

    def _renew_later(self, pod_uid: str, tokens: Iterable[Token | StatusError]) -> None:
        """Tell the owner when the first of the pod's tokens is to be renewed."""
        times = [token.renew_at for token in tokens if isinstance(token, Token)]
        if times:
            seconds = max(min(times) - self._around.wall_clock(), RENEWAL_RETRY_SECONDS)
            loop = asyncio.get_running_loop()
            self._renewals[pod_uid] = loop.call_later(seconds, self._around.outdated, pod_uid)

    def _stop_renewal(self, pod_uid: str) -> None:
        renewal = self._renewals.pop(pod_uid, None)
        if renewal is not None:
            renewal.cancel()

    def _set_up(self, pod: Pod, plans: Sequence[_Plan], done: dict[str, bytes]) -> dict[str, str]:
        """Bring volumes about; returns what is wrong with those that could not be."""
        problems = {}
        with self._lock(pod.metadata.uid):
            for plan in plans:
                try:
                    self._disk.set_up(pod, plan.volume, plan.payload)
                    done[plan.volume.name] = plan.fingerprint()
                except VolumeError as error:
                    problems[plan.volume.name] = str(error)
                except OSError as error:
                    problems[plan.volume.name] = f"{error.strerror or error}: {error.filename or pod.metadata.uid}"
        return problems

    def _remove(self, pod_uid: str) -> None:
        with self._lock(pod_uid):
            self._disk.remove(pod_uid)

    def _lock(self, pod_uid: str) -> threading.Lock:
        return self._busy.setdefault(pod_uid, threading.Lock())

    def _mounts(
        self,
        pod: Pod,
        container: Container,
        volumes: Mapping[str, Volume],
        wanted: Sequence[tuple[VolumeMount, str]],
    ) -> Sequence[Mount]:
        mounts = []
        for number, (mount, sub_path) in enumerate(wanted):
            volume = volumes.get(mount.name)
            if volume is None:
                raise VolumeError(f"volumeMount {mount.mountPath}: the pod has no volume {mount.name!r}")
            _check_mount(mount)
            place = self._disk.place_of(pod, volume)
            if sub_path:
                with self._lock(pod.metadata.uid):
                    place = self._disk.bind_sub_path(pod, volume, sub_path, container.name, number)
            mounts.append(
                Mount(
                    container_path=mount.mountPath,
                    host_path=place,
                    readonly=mount.readOnly or is_read_only(volume),
                    propagation=mount.mountPropagation or "None",
                )
            )
        return mounts


def _mounted(pod: Pod) -> list[Volume]:
    """Volumes that a container mounts; others need not be there."""
    names = {mount.name for container in containers_of(pod) for mount in container.volumeMounts}
    names |= {device.name for container in containers_of(pod) for device in container.volumeDevices}
    return [volume for volume in pod.spec.volumes if volume.name in names]


def _plan(volumes: Sequence[Volume], contents: Contents) -> tuple[list[_Plan], dict[str, str]]:
    """What each volume should be, and what is wrong with those of which that cannot be said."""
    plans, problems = [], {}
    for volume in volumes:
        refusal = refusal_of(volume)
        if refusal:
            problems[volume.name] = refusal
            continue
        try:
            plans.append(_Plan(volume, payload_of(volume, contents) if holds_files(volume) else None))
        except VolumeError as error:
            problems[volume.name] = str(error)
    return plans, problems


def _failure(name: str, why: str) -> str:
    return f'MountVolume.SetUp failed for volume "{name}" : {why}'


def _sub_path(mount: VolumeMount, variables: Mapping[str, str]) -> str:
    if not mount.subPathExpr:
        return mount.subPath
    unset = unset_references(mount.subPathExpr, variables)
    if unset:
        raise VolumeError(f"volumeMount {mount.mountPath}: subPathExpr names {unset[0]}, which is not set")
    return expand(mount.subPathExpr, variables)


def _check_mount(mount: VolumeMount) -> None:
    if mount.recursiveReadOnly == "Enabled":
        raise VolumeError(
            f"volumeMount {mount.mountPath}: recursiveReadOnly Enabled is not supported; want IfPossible or Disabled"
        )
