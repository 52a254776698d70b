"""Processes are always ended, with a runtime played by the test and real FIFOs."""

import asyncio
from pathlib import Path

import orjson
import pytest

from kubewire.kubelet.containerd import execution as module
from kubewire.kubelet.containerd.execution import Executions
from kubewire.kubelet.containerd.pipes import Streams
from kubewire.kubelet.containerd.tasks import ProcessFiles, Tasks
from kubewire.kubelet.errors import RuntimeCallError

SECONDS = 30.0
OUTPUT = Streams(stdout=True)


class FakeTasks(Tasks):
    """A runtime with containers that run any command for ever.

    Attributes:
        running: exec ids.
        failures: how many calls from now on find the runtime away.
        start_gate: starting waits for it.
    """

    def __init__(self) -> None:
        self.running: dict[str, asyncio.Event] = {}
        self.failures = 0
        self.start_gate = asyncio.Event()
        self.start_gate.set()

    def _answer(self, exec_id: str = "") -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeCallError("Any", "UNAVAILABLE", "away")
        if exec_id and exec_id not in self.running:
            raise RuntimeCallError("Any", "NOT_FOUND", "no such process")

    async def spec(self, container_id: str) -> bytes:
        return orjson.dumps({"process": {"args": []}})

    async def add(self, container_id: str, exec_id: str, spec: bytes, files: ProcessFiles, *, terminal: bool) -> None:
        self._answer()

    async def start(self, container_id: str, exec_id: str) -> None:
        await self.start_gate.wait()
        self.running[exec_id] = asyncio.Event()

    async def wait(self, container_id: str, exec_id: str) -> int:
        self._answer(exec_id)
        await self.running[exec_id].wait()
        return 137

    async def kill(self, container_id: str, exec_id: str, signal: int) -> None:
        self._answer(exec_id)
        self.running[exec_id].set()

    async def delete(self, container_id: str, exec_id: str) -> None:
        self._answer(exec_id)
        if not self.running[exec_id].is_set():
            raise RuntimeCallError("DeleteProcess", "FAILED_PRECONDITION", "it runs")
        del self.running[exec_id]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between attempts."""
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0.001)


def folders(parent: Path) -> list[str]:
    """What lies there."""
    return [path.name for path in parent.iterdir()]


async def settled(tasks: FakeTasks, folder: Path) -> None:
    """Wait until nothing runs and no pipe is left."""
    async with asyncio.timeout(SECONDS):
        while tasks.running or folders(folder):  # noqa: ASYNC110 - the folder is the file system's
            await asyncio.sleep(0.001)


async def test_leaving_the_block_ends_the_process(tmp_path: Path) -> None:
    """However it is left."""
    tasks = FakeTasks()
    executions = Executions(tasks, tmp_path)

    async def fail() -> None:
        async with executions.running("c", ["sleep"], OUTPUT):
            assert len(tasks.running) == 1
            raise ValueError("why")

    with pytest.raises(ValueError, match="why"):
        await fail()
    assert not tasks.running
    assert not folders(tmp_path)


async def test_a_start_that_is_cut_off_leaves_nothing(tmp_path: Path) -> None:
    """The runtime may start a process after its caller has gone."""
    tasks = FakeTasks()
    tasks.start_gate.clear()
    executions = Executions(tasks, tmp_path)

    async def run() -> None:
        async with executions.running("c", ["sleep"], OUTPUT):
            pytest.fail("it was cut off before")

    async with asyncio.TaskGroup() as group:
        running = group.create_task(run())
        await asyncio.sleep(0.01)
        for _ in range(2):  # once more than is polite
            running.cancel()
            await asyncio.sleep(0.001)
        tasks.start_gate.set()
    await settled(tasks, tmp_path)


async def test_a_runtime_that_is_away_is_waited_for(tmp_path: Path) -> None:
    """A process is not forgotten because the runtime restarts when it is to be ended."""
    tasks = FakeTasks()
    async with Executions(tasks, tmp_path).running("c", ["sleep"], OUTPUT):
        tasks.failures = 7
    assert not tasks.running
    assert not folders(tmp_path)


async def test_exit_codes_are_asked_for_until_the_runtime_answers(tmp_path: Path) -> None:
    """Its restart does not end a command."""
    tasks = FakeTasks()
    async with Executions(tasks, tmp_path).running("c", ["sleep"], OUTPUT) as execution:
        tasks.failures = 3
        for process in tasks.running.values():
            process.set()
        assert await execution.wait() == 137


async def test_what_a_former_kubelet_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    """Its folders name the container and the process; what was started since is no one's leftover."""
    tasks = FakeTasks()
    tasks.running["kubewire-old"] = asyncio.Event()
    for name in ("c.kubewire-old", "gone.kubewire-older"):
        (tmp_path / name).mkdir()
    executions = Executions(tasks, tmp_path)
    async with executions.running("c", ["sleep"], OUTPUT) as execution:
        await executions.sweep()
        assert list(tasks.running) == [execution.ids[1]]
        assert folders(tmp_path) == [".".join(execution.ids)]


async def test_what_cannot_be_ended_is_left_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder goes only when its process has gone."""
    monkeypatch.setattr(module, "_END_SECONDS", 0.01)
    tasks = FakeTasks()
    tasks.running["kubewire-old"] = asyncio.Event()
    (tmp_path / "c.kubewire-old").mkdir()
    executions = Executions(tasks, tmp_path)
    tasks.failures = 1_000_000
    await executions.sweep()
    assert folders(tmp_path) == ["c.kubewire-old"]
    tasks.failures = 0
    await Executions(tasks, tmp_path).sweep()
    assert not folders(tmp_path)
