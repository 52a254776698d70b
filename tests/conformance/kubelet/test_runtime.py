"""What every runtime promises the kubelet, simulated or real."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Container, Phase, PodIdentity, RuntimePod
from tests.conformance.kubelet.conftest import Stand
from tests.containerd_process import DEMO_IMAGE

WAIT_SECONDS = 30.0
FOREVER = "while :; do sleep 0.1; done"


def sandbox_of(stand: Stand, uid: str, attempt: int = 0) -> cri.PodSandboxConfig:
    """A pod's sandbox."""
    identity = PodIdentity(uid, "default", "web")
    config = cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name="web", uid=uid, namespace="default", attempt=attempt),
        hostname="web",
        log_directory=str(stand.logs),
        labels=labels.pod_labels(identity),
    )
    config.linux.cgroup_parent = stand.cgroup
    return config


def container_of(script: str = FOREVER, attempt: int = 0) -> cri.ContainerConfig:
    """A container that runs a script."""
    return cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name="app", attempt=attempt),
        image=cri.ImageSpec(image=DEMO_IMAGE),
        command=["/bin/sh", "-c", script],
        labels={**labels.pod_labels(PodIdentity("", "default", "web")), labels.CONTAINER_NAME: "app"},
        annotations={labels.HASH: "abc", labels.POD_GRACE: "7"},
        log_path=f"app-{attempt}.log",
    )


async def started(stand: Stand, uid: str, script: str = FOREVER) -> tuple[str, str]:
    """A pod with a container that was started: the ids of its sandbox and of the container."""
    sandbox = sandbox_of(stand, uid)
    sandbox_id = await stand.runtime.run_sandbox(sandbox, "")
    config = container_of(script)
    config.labels[labels.POD_UID] = uid
    container_id = await stand.runtime.create_container(sandbox_id, config, sandbox)
    await stand.runtime.start_container(container_id)
    return sandbox_id, container_id


async def seen(stand: Stand, uid: str) -> RuntimePod:
    """What there is of a pod."""
    return await stand.runtime.pod(PodIdentity(uid, "default", "web"))


async def ended(stand: Stand, uid: str) -> Container:
    """The pod's container once it has ended."""
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        container = (await seen(stand, uid)).containers[0]
        if container.is_ended:
            return container
        assert time.monotonic() < deadline, container
        await asyncio.sleep(0.02)


async def written(log: Path, text: bytes) -> None:
    """Wait until a container has written something."""
    deadline = time.monotonic() + WAIT_SECONDS
    while text not in await asyncio.to_thread(log.read_bytes):
        assert time.monotonic() < deadline, f"it never wrote {text!r}"
        await asyncio.sleep(0.02)


async def test_a_sandbox_has_an_address_until_it_is_stopped(stand: Stand) -> None:
    """It is ready from the start, and stopping or removing it twice is harmless."""
    sandbox_id = await stand.runtime.run_sandbox(sandbox_of(stand, "u1"), "")
    sandbox = (await seen(stand, "u1")).sandboxes[0]
    assert (sandbox.id, sandbox.attempt, sandbox.is_ready, len(sandbox.ips)) == (sandbox_id, 0, True, 1)
    for _ in range(2):
        await stand.runtime.stop_sandbox(sandbox_id)
    assert not (await seen(stand, "u1")).sandboxes[0].is_ready
    for _ in range(2):
        await stand.runtime.remove_sandbox(sandbox_id)
    assert (await seen(stand, "u1")).is_empty


async def test_a_container_goes_from_created_to_running_to_exited(stand: Stand) -> None:
    """What it was made with is told with it, and its end with code and times."""
    sandbox = sandbox_of(stand, "u2")
    sandbox_id = await stand.runtime.run_sandbox(sandbox, "")
    config = container_of("exit 3")
    config.labels[labels.POD_UID] = "u2"
    container_id = await stand.runtime.create_container(sandbox_id, config, sandbox)
    made = (await seen(stand, "u2")).containers[0]
    assert (made.id, made.sandbox_id, made.name, made.attempt) == (container_id, sandbox_id, "app", 0)
    assert made.phase is Phase.CREATED
    assert made.annotations[labels.HASH] == "abc"
    await stand.runtime.start_container(container_id)
    end = await ended(stand, "u2")
    assert (end.phase, end.exit_code, end.reason) == (Phase.EXITED, 3, "Error")
    # containerd notes a start a little after the process may have ended.
    assert 0 < end.created_at <= end.started_at <= end.finished_at + 1 <= time.time() + 2


async def test_a_container_that_ends_well_is_completed(stand: Stand) -> None:
    """Exit code 0 is called so."""
    await started(stand, "u3", "exit 0")
    end = await ended(stand, "u3")
    assert (end.exit_code, end.reason) == (0, "Completed")


async def test_stopping_kills_what_does_not_listen(stand: Stand) -> None:
    """KILL comes when the grace period is over; stopping what has ended, or is gone, is no failure."""
    _, container_id = await started(stand, "u4", f"trap '' TERM; echo deaf; {FOREVER}")
    if not stand.runtime.is_simulated:
        await written(stand.logs / "app-0.log", b"deaf")
    await stand.runtime.stop_container(container_id, 1)
    assert (await ended(stand, "u4")).exit_code == 137
    await stand.runtime.stop_container(container_id, 1)
    await stand.runtime.remove_container(container_id)
    await stand.runtime.remove_container(container_id)
    await stand.runtime.stop_container(container_id, 1)
    assert (await seen(stand, "u4")).containers == ()


async def test_a_sandbox_takes_its_containers_with_it(stand: Stand) -> None:
    """Stopped they end, and removed they are gone."""
    sandbox_id, _ = await started(stand, "u5")
    await stand.runtime.stop_sandbox(sandbox_id)
    await ended(stand, "u5")
    await stand.runtime.remove_sandbox(sandbox_id)
    assert (await seen(stand, "u5")).is_empty


async def test_the_same_attempt_is_made_once(stand: Stand) -> None:
    """Whoever asks again for what was made is refused: nothing is doubled by a kubelet that forgot."""
    sandbox = sandbox_of(stand, "u6")
    sandbox_id = await stand.runtime.run_sandbox(sandbox, "")
    with pytest.raises(RuntimeCallError):
        await stand.runtime.run_sandbox(sandbox, "")
    config = container_of()
    config.labels[labels.POD_UID] = "u6"
    await stand.runtime.create_container(sandbox_id, config, sandbox)
    with pytest.raises(RuntimeCallError):
        await stand.runtime.create_container(sandbox_id, config, sandbox)
    found = await seen(stand, "u6")
    assert (len(found.sandboxes), len(found.containers)) == (1, 1)


async def test_the_newest_comes_first(stand: Stand) -> None:
    """Attempts of one name are told from the last to the first."""
    sandbox = sandbox_of(stand, "u7")
    sandbox_id = await stand.runtime.run_sandbox(sandbox, "")
    for attempt in range(3):
        config = container_of(attempt=attempt)
        config.labels[labels.POD_UID] = "u7"
        await stand.runtime.create_container(sandbox_id, config, sandbox)
    found = await seen(stand, "u7")
    assert [one.attempt for one in found.containers] == [2, 1, 0]
    newest = found.newest("app")
    assert newest is not None
    assert newest.attempt == 2


async def test_a_list_tells_that_something_is_different(stand: Stand) -> None:
    """States in it differ when a container has ended."""
    _, container_id = await started(stand, "u8")
    before = {one.identity.uid: one.states for one in await stand.runtime.list()}
    await stand.runtime.stop_container(container_id, 0)
    await ended(stand, "u8")
    after = {one.identity.uid: one.states for one in await stand.runtime.list()}
    assert before["u8"] != after["u8"]


async def test_ends_are_told_as_they_happen(stand: Stand) -> None:
    """Who follows hears the id of a container that has ended by itself."""
    told: asyncio.Queue[str] = asyncio.Queue()
    on_change: Callable[[str, str], None] = lambda changed, _: told.put_nowait(changed)  # noqa: E731
    async with asyncio.TaskGroup() as group:
        following = group.create_task(stand.runtime.follow(on_change))
        # The subscription is there once the first of several ends was told.
        heard = False
        for number in range(20):
            _, container_id = await started(stand, f"u9-{number}", "exit 0")
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    while await told.get() != container_id:
                        continue
                    heard = True
                    break
        following.cancel()
    assert heard


async def test_what_is_not_there_cannot_be_started(stand: Stand) -> None:
    """The failure says so."""
    with pytest.raises(RuntimeCallError) as caught:
        await stand.runtime.start_container("nobody")
    assert caught.value.is_not_found


async def test_images_are_found_or_not(stand: Stand) -> None:
    """An image that is there has an id; one that is not is none, and cannot be made a container of."""
    found = await stand.runtime.image(DEMO_IMAGE)
    assert found is not None
    assert found.id
    assert await stand.runtime.image("localhost/nobody/has-it:1") is None
    assert any(DEMO_IMAGE in (*one.tags, one.id) for one in await stand.runtime.images())


async def test_a_runtime_says_who_it_is_and_how(stand: Stand) -> None:
    """A name, a version, and both conditions."""
    version = await stand.runtime.version()
    assert version.name
    assert version.version
    assert {one.type: one.status for one in await stand.runtime.conditions()} == {
        "RuntimeReady": True,
        "NetworkReady": True,
    }


async def test_an_unknown_handler_is_refused(stand: Stand) -> None:
    """A runtime class that the node does not have runs nothing."""
    with pytest.raises(RuntimeCallError):
        await stand.runtime.run_sandbox(sandbox_of(stand, "u10"), "gvisor")
