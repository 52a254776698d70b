"""etcd as a child of the control plane: started first, started anew when it ends, ended last.

Nothing but the standard library is imported here, because etcd starts while everything else is still being imported.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from kubewire.cluster.etcd_program import CLIENT_SOCKET, EtcdProgram, arguments, find_etcd
from kubewire.cluster.processes import ProcessId, identify, terminate

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubewire.cluster.home import Home

_GRACE_SECONDS = 10.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_HEALTHY_SECONDS = 30.0


class EtcdChild:
    """One etcd process and its successors, on the same data."""

    def __init__(self, home: Home) -> None:
        """Start it at once.

        Raises:
            MissingProgram: no etcd is installed.
        """
        self._home = home
        self.program: EtcdProgram = find_etcd()
        self._process = self._spawn()

    @property
    def url(self) -> str:
        """Where the API server reaches it: a socket that only this user may open."""
        return f"unix://{self._home.path / CLIENT_SOCKET}"

    @property
    def process(self) -> ProcessId | None:
        """The process that runs now."""
        return identify(self._process.pid)

    def version(self) -> str:
        """The release that the binary says it is."""
        told = subprocess.run([self.program.path, "--version"], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603  # the binary we run anyway
        found = re.search(r"etcd Version: (\S+)", told.stdout)
        return found[1] if found else "unknown"

    async def supervise(self, on_restart: Callable[[], None]) -> None:
        """Start it anew whenever it ends, with growing pauses while it does not stay up. Runs until cancelled."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            begun = loop.time()
            await _exit_of(self._process.pid)
            self._process.wait()
            pause = _FIRST_PAUSE_SECONDS if loop.time() - begun > _HEALTHY_SECONDS else pause
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self._process = self._spawn()
            on_restart()

    def stop(self) -> None:
        """End it and wait for its end; it flushes what it has."""
        found = self.process
        if found is not None:
            terminate(found, grace_seconds=_GRACE_SECONDS)
        self._process.wait()

    def _spawn(self) -> subprocess.Popen[bytes]:
        for socket in ("etcd.sock:0", "peer.sock:0"):
            (self._home.path / socket).unlink(missing_ok=True)  # a killed etcd leaves them behind
        command = arguments(self.program, self._home.etcd_data)
        if setpriv := shutil.which("setpriv"):
            # etcd ends with the control plane, even if that is killed.
            command = [setpriv, "--pdeathsig=TERM", *command]
        with (self._home.logs / "etcd.log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._home.path)  # noqa: S603  # no shell


async def _exit_of(pid: int) -> None:
    """Wait until a child process has ended."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    descriptor = os.pidfd_open(pid)

    def on_exit() -> None:
        if not ended.done():
            ended.set_result(None)

    loop.add_reader(descriptor, on_exit)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
