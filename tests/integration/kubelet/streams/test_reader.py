"""Following log files as a runtime writes, rotates and ends them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, closing
from pathlib import Path

import pytest

from kubewire.kubelet.streams.logs import reader as module
from kubewire.kubelet.streams.logs.changes import FileChanges
from kubewire.kubelet.streams.logs.lines import Wanted
from kubewire.kubelet.streams.logs.reader import LogFile, LogReader

SECONDS = 30.0


class Container:
    """Writes a log, until it ends."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "0.log"
        self.path.touch()
        self.is_running = True

    def write(self, *texts: str) -> None:
        """Whole lines."""
        self.write_raw("".join(f"2026-11-23T09:00:00Z stdout F {text}\n" for text in texts))

    def write_raw(self, text: str) -> None:
        """Anything."""
        with self.path.open("a") as file:
            file.write(text)

    def rotate(self) -> None:
        """As kubelets have runtimes do it: the file is renamed and made anew."""
        self.path.rename(self.path.with_suffix(".log.1"))
        self.path.touch()


class Follower:
    """What a reader of the log has been shown."""

    def __init__(self) -> None:
        self.seen = b""
        self.has_ended = asyncio.Event()
        self._turned = asyncio.Event()

    async def read(self, container: Container, wanted: Wanted, tail: int | None) -> None:
        """Read to the end."""
        changes = FileChanges()
        try:
            with closing(LogFile(container.path)) as file:
                pieces = LogReader(changes).read(file, wanted, tail, lambda: container.is_running)
                async with aclosing(pieces):
                    async for piece in pieces:
                        self.seen += piece
                        self._turned.set()
        finally:
            changes.close()
            self.has_ended.set()

    async def expect(self, text: bytes) -> None:
        """Wait until exactly this has been shown."""
        async with asyncio.timeout(SECONDS):
            while self.seen != text:
                self._turned.clear()
                await self._turned.wait()


@asynccontextmanager
async def following(
    container: Container, wanted: Wanted | None = None, tail: int | None = None
) -> AsyncIterator[Follower]:
    """A reader that follows, and has ended when the block is left."""
    follower = Follower()
    async with asyncio.timeout(SECONDS), asyncio.TaskGroup() as group:
        group.create_task(follower.read(container, wanted or Wanted(), tail))
        yield follower
        container.is_running = False


@pytest.fixture
def container(tmp_path: Path) -> Container:
    """One that runs and has written two lines."""
    made = Container(tmp_path)
    made.write("one", "two")
    return made


async def test_lines_are_shown_as_they_are_written(container: Container) -> None:
    """Not before they are whole, and each once."""
    async with following(container) as follower:
        await follower.expect(b"one\ntwo\n")
        container.write_raw("2026-11-23T09:00:00Z stdout F thr")
        container.write_raw("ee\n")
        await follower.expect(b"one\ntwo\nthree\n")


async def test_the_kernel_wakes_followers(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to look again and again: a line is shown although looking is far away."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 3600.0)
    async with following(container, tail=0) as follower:
        await asyncio.sleep(0.05)
        container.write("three")
        await follower.expect(b"three\n")
        container.is_running = False
        container.write("last")
    assert follower.seen == b"three\nlast\n"


async def test_a_rotated_log_is_followed(container: Container) -> None:
    """The rest of the old file first, then the one that took its place."""
    async with following(container) as follower:
        await follower.expect(b"one\ntwo\n")
        container.write("three")
        container.rotate()
        container.write("four")
        await follower.expect(b"one\ntwo\nthree\nfour\n")
        container.rotate()
        container.write("five")
        await follower.expect(b"one\ntwo\nthree\nfour\nfive\n")


async def test_a_log_that_was_emptied_is_followed(container: Container) -> None:
    """Truncated in place, as some tools do."""
    async with following(container) as follower:
        await follower.expect(b"one\ntwo\n")
        container.path.write_text("")
        container.write("new")
        await follower.expect(b"one\ntwo\nnew\n")


async def test_what_is_written_before_the_end_is_shown(container: Container) -> None:
    """A container's last words are not lost, whenever its end is known."""
    async with following(container) as follower:
        await follower.expect(b"one\ntwo\n")
        container.write("last words")
        container.is_running = False
    assert follower.seen == b"one\ntwo\nlast words\n"


async def test_followers_stop_at_their_limit(container: Container) -> None:
    """The limit ends a log that goes on."""
    async with following(container, Wanted(limit_bytes=5)) as follower:
        await follower.has_ended.wait()
        assert follower.seen == b"one\nt"


async def test_several_follow_one_log(container: Container) -> None:
    """Each from where it began."""
    async with following(container) as first, following(container, tail=1) as second:
        await first.expect(b"one\ntwo\n")
        await second.expect(b"two\n")
        container.write("three")
        await first.expect(b"one\ntwo\nthree\n")
        await second.expect(b"two\nthree\n")


async def test_watches_of_one_folder_are_shared_and_given_back(tmp_path: Path) -> None:
    """The kernel has few watches; the last one who waits gives it back."""
    changes = FileChanges()
    try:
        with changes.watching(tmp_path) as first:
            with changes.watching(tmp_path) as second:
                assert len(changes._waiting) == 1
                (tmp_path / "file").write_text("x")
                async with asyncio.timeout(SECONDS):
                    await first.wait()
                    await second.wait()
            assert len(changes._waiting) == 1
        assert not changes._waiting
    finally:
        changes.close()
