"""FIFOs between us and a process, with the process's end played by the test."""

import asyncio
import os
from pathlib import Path

import pytest

from kubewire.kubelet.containerd.pipes import CHUNK_BYTES, ReadingPipe, StreamFolder, Streams, WritingPipe

SECONDS = 30.0


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A FIFO nobody has opened."""
    os.mkfifo(tmp_path / "fifo")
    return tmp_path / "fifo"


async def read_all(pipe: ReadingPipe) -> bytes:
    """Everything to the end."""
    found = b""
    async with asyncio.timeout(SECONDS):
        while piece := await pipe.read():
            found += piece
    return found


async def test_reading_waits_for_the_first_writer(fifo: Path) -> None:
    """A FIFO that nobody writes to yet is not at its end."""
    pipe = ReadingPipe(fifo)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read_all(pipe))
        await asyncio.sleep(0.05)
        assert not reading.done()
        writer = os.open(fifo, os.O_WRONLY)
        os.write(writer, b"hello")
        os.close(writer)
    assert reading.result() == b"hello"
    pipe.close()
    assert await pipe.read() == b""


async def test_reading_does_not_wait_for_ever_for_heirs(fifo: Path) -> None:
    """Once the process has ended, silence is the end, whoever still holds the pipe open."""
    pipe = ReadingPipe(fifo)
    heir = os.open(fifo, os.O_WRONLY)
    async with asyncio.TaskGroup() as group:
        reading = group.create_task(read_all(pipe))
        os.write(heir, b"before")
        await asyncio.sleep(0.05)
        pipe.end_when_idle(0.1)
        os.write(heir, b" and after")
    assert reading.result() == b"before and after"
    os.close(heir)
    pipe.close()


async def test_writing_waits_for_the_reader(fifo: Path) -> None:
    """More than the kernel keeps is written as it is read, byte for byte."""
    data = os.urandom(20 * CHUNK_BYTES)
    pipe = WritingPipe(fifo)
    reader = ReadingPipe(fifo)
    found = b""
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        writing = group.create_task(pipe.write(data))
        await asyncio.sleep(0.05)
        assert not writing.done()
        while len(found) < len(data):
            found += await reader.read()
    assert found == data
    pipe.close()
    reader.close()


async def test_writing_ends_with_the_process(fifo: Path) -> None:
    """What nobody will read is dropped, at once and later."""
    pipe = WritingPipe(fifo)
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(pipe.write(bytes(20 * CHUNK_BYTES)))
        await asyncio.sleep(0.05)
        pipe.abandon()
    await pipe.write(b"more")
    pipe.close()


def test_only_wanted_streams_have_pipes(tmp_path: Path) -> None:
    """The rest goes nowhere; merged errors share the pipe of output, so that their order is kept."""
    folder = StreamFolder.make(tmp_path / "a", Streams(stdin=True, stdout=True))
    assert folder.files.stdin == tmp_path / "a" / "stdin"
    assert folder.stdout == tmp_path / "a" / "stdout"
    assert folder.stderr is None
    assert folder.files.stderr == Path("/dev/null")
    merged = StreamFolder.make(tmp_path / "b", Streams(stdout=True, merged=True))
    assert merged.files.stderr == merged.files.stdout
    assert merged.stderr is None
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    folder.remove()
    assert not (tmp_path / "a").exists()
