"""Images are there when containers need them, or it is said why not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.kubelet.errors import ImageTrouble, RuntimeCallError
from kubewire.kubelet.images.puller import ImagePuller
from kubewire.kubelet.runtime.simulated import SimulatedRuntime
from tests.unit.kubelet.manifests import pod_of
from tests.unit.kubelet.objects import KnownObjects

REFUSED = RuntimeCallError("PullImage", "UNKNOWN", "no such host")


class Counter:
    """A puller with a simulated runtime."""

    def __init__(self, *secrets: Secret) -> None:
        self.runtime = SimulatedRuntime()
        self.puller = ImagePuller(self.runtime, KnownObjects(*secrets))
        self.told: list[str] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """It runs."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.puller.run())
            await asyncio.sleep(0)
            yield
            task.cancel()

    async def ensure(self, pod: Pod) -> str:
        """The id of the image of the pod's one container."""
        image = await self.puller.ensure(
            pod, pod.spec.containers[0], lambda type, reason, message: self.told.append(f"{type} {reason} {message}")
        )
        return image.id


def pod(image: str = "app:1", policy: str = "", more: str = "") -> Pod:
    """A pod with one container."""
    return pod_of(f"{{containers: [{{name: app, image: '{image}', imagePullPolicy: '{policy}'}}] {more}}}")


@pytest.mark.parametrize(
    ("image", "policy", "is_there", "pulls"),
    [
        ("app:1", "", True, False),
        ("app:1", "", False, True),
        ("app", "", True, True),
        ("app:1", "Always", True, True),
        ("app", "IfNotPresent", True, False),
        ("app", "Never", True, False),
    ],
)
async def test_policies(image: str, policy: str, *, is_there: bool, pulls: bool) -> None:
    """What is there is pulled only where it is asked for."""
    counter = Counter()
    if not is_there:
        counter.runtime.missing.add(image)
    async with counter.open():
        await counter.ensure(pod(image, policy))
    assert list(counter.runtime.asked) == ([f"PullImage {image}"] if pulls else [])


async def test_never_means_never() -> None:
    """An image that is not there is not fetched."""
    counter = Counter()
    counter.runtime.missing.add("app:1")
    async with counter.open():
        with pytest.raises(ImageTrouble) as caught:
            await counter.ensure(pod(policy="Never"))
    assert caught.value.reason == "ErrImageNeverPull"
    assert list(counter.runtime.asked) == []


async def test_failures_are_told_and_waited_for_longer_each_time() -> None:
    """10 s, doubled; a success begins anew."""
    counter = Counter()
    waits = []
    async with counter.open():
        for _ in range(3):
            counter.runtime.missing.add("app:1")
            counter.runtime.refusals["PullImage"] = [REFUSED]
            with pytest.raises(ImageTrouble) as caught:
                await counter.ensure(pod())
            waits.append(caught.value.retry_seconds)
        await counter.ensure(pod())
        counter.runtime.missing.add("app:1")
        counter.runtime.refusals["PullImage"] = [REFUSED]
        with pytest.raises(ImageTrouble) as caught:
            await counter.ensure(pod())
        waits.append(caught.value.retry_seconds)
    assert waits == [10, 20, 40, 10]
    assert counter.told[:3] == [
        'Normal Pulling Pulling image "app:1"',
        'Warning Failed Failed to pull image "app:1": PullImage: no such host (UNKNOWN)',
        "Warning Failed Error: ErrImagePull",
    ]


async def test_one_pull_serves_all_who_wait_for_it() -> None:
    """And goes on when one of them leaves."""
    counter = Counter()
    counter.runtime.missing.add("app:1")
    arrived = asyncio.Event()
    pull = counter.runtime.pull_image

    async def slowly(name: str, auth: None) -> str:
        arrived.set()
        await asyncio.sleep(5)
        return await pull(name, auth)

    counter.runtime.pull_image = slowly  # type: ignore[assignment,method-assign]
    async with counter.open(), asyncio.TaskGroup() as group:
        first = group.create_task(counter.ensure(pod()))
        others = [group.create_task(counter.ensure(pod())) for _ in range(3)]
        await arrived.wait()
        first.cancel()
        await asyncio.wait(others)
    assert list(counter.runtime.asked) == ["PullImage app:1"]


async def test_secrets_are_tried_until_one_fits() -> None:
    """Those for other registries are left out, and a secret that is missing is passed over."""
    auths = {"r.example": {"username": "me"}, "other.example": {"username": "other"}}
    known = Secret(data={".dockerconfigjson": orjson.dumps({"auths": auths})})
    known.metadata.name, known.metadata.namespace = "pull", "shop"
    counter = Counter(known)
    counter.runtime.missing.add("r.example/app:1")
    async with counter.open():
        more = ", imagePullSecrets: [{name: missing}, {name: pull}]"
        await counter.ensure(pod("r.example/app:1", more=more))
    assert list(counter.runtime.asked) == ["PullImage r.example/app:1 as me"]
