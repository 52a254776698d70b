"""The runtimes: a simulation, and a real containerd over CRI."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from kubewire.kubelet.errors import RuntimeCallError
from kubewire.kubelet.runtime.contracts import Runtime
from kubewire.kubelet.runtime.cri import CriRuntime
from kubewire.kubelet.runtime.simulated import Ending, SimulatedRuntime
from tests.containerd_process import DEMO_IMAGE, ContainerdProcess, running_containerd


class Uncounted:
    """Calls that nobody counts."""

    def operation(self, name: str, seconds: float, *, failed: bool) -> None:
        """Nothing."""


@dataclass
class Stand:
    """A runtime, and what its sandboxes have to be given."""

    runtime: Runtime
    logs: Path
    cgroup: str = ""


@pytest.fixture(scope="session")
def containerd() -> Iterator[ContainerdProcess]:
    """One for all tests."""
    with running_containerd() as node:
        yield node


@pytest_asyncio.fixture(params=["simulated", "cri"])
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    """Each of them. Scripts of containers are simulated by their last word: `exit 3`."""
    if request.param == "simulated":
        runtime = SimulatedRuntime(script=lambda _, container: _ending(list(container.command)))
        # A registry that nobody can reach.
        runtime.missing.add("localhost/nobody/has-it:1")
        yield Stand(runtime, tmp_path)
        await runtime.close()
        return
    node: ContainerdProcess = request.getfixturevalue("containerd")
    over_cri = CriRuntime(str(node.socket), Uncounted())
    yield Stand(over_cri, tmp_path, f"{node.cgroup_parent}/conformance")
    for _ in range(5):
        # containerd refuses to stop what is ending by itself at this moment.
        with suppress(RuntimeCallError):
            await _empty(over_cri)
            break
    await over_cri.close()


async def _empty(runtime: CriRuntime) -> None:
    for pod in await runtime.list():
        for sandbox in (await runtime.pod(pod.identity)).sandboxes:
            await runtime.stop_sandbox(sandbox.id)
            await runtime.remove_sandbox(sandbox.id)


def _ending(command: list[str]) -> Ending:
    words = command[-1].split() if command else []
    if words[:1] == ["exit"]:
        return Ending(0.01, int(words[1]))
    return Ending(stop_seconds=1000.0) if words[:1] == ["trap"] else Ending()


__all__ = ["DEMO_IMAGE"]
