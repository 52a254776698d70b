"""A node's containerd as a process: started inside the node's namespace, found again, started anew when it ends.

It outlives whoever started it: containers do not notice when the agents are ended or killed, and who comes next takes
over the one that runs. Containers also outlive containerd, because each has a shim.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from kubewire.cluster.errors import StartFailed
from kubewire.cluster.images.names import SANDBOX_IMAGE
from kubewire.cluster.nodes import cni, containerd_config, programs
from kubewire.cluster.nodes.containerd_config import Machine
from kubewire.cluster.nodes.place import NodePlace
from kubewire.cluster.processes import ProcessId, identify, terminate
from kubewire.component.files import write_private

_CAP_SYS_RESOURCE = 1 << 24
_POLL_SECONDS = 0.004
_START_SECONDS = 20.0
_GRACE_SECONDS = 5.0
_LOG_TAIL_BYTES = 1500
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_HEALTHY_SECONDS = 30.0


class Containerd:
    """One node's containerd and its successors, on the same data."""

    def __init__(self, node: NodePlace) -> None:
        self.node = node
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> ProcessId | None:
        """The process that runs now, whoever started it; None if there is none."""
        try:
            found = ProcessId(**json.loads(self._record.read_bytes()))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.is_alive else None

    def start(self) -> None:
        """Start it, unless it runs. Returns at once; `wait_until_ready` says when it serves.

        Raises:
            MissingProgram: containerd, runc or a CNI plugin is not installed.
        """
        if self.process is None:
            self._spawn(self.prepare())

    def prepare(self) -> list[str]:
        """Write its configuration; the command that runs it, in the foreground and inside the node.

        Raises:
            MissingProgram: containerd, runc or a CNI plugin is not installed.
        """
        for program in ("containerd-shim-runc-v2", "runc", "iptables"):
            programs.find(program)
        self._forget_other_boots()
        content = containerd_config.render(self.node, inspect_machine(self.node.containerd), SANDBOX_IMAGE)
        write_private(self._configuration, content)
        return [*programs.enter(self.node.namespace), programs.find("containerd"), f"--config={self._configuration}"]

    async def wait_until_ready(self) -> None:
        """Wait until containerd serves.

        Raises:
            StartFailed: it ended, or does not serve after 20 s; with the end of its log.
        """
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_serving():
            if self.process is None or time.monotonic() > deadline:
                raise StartFailed(
                    f"node {self.node.name}: containerd does not serve; {self.node.log} ends:\n{self._tail()}"
                )
            await asyncio.sleep(_POLL_SECONDS)

    async def supervise(self, on_restart: Callable[[], None]) -> None:
        """Start it anew whenever it ends, with growing pauses while it does not stay up. Runs until cancelled."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE_SECONDS
        while True:
            begun = loop.time()
            await self._exit()
            pause = _FIRST_PAUSE_SECONDS if loop.time() - begun > _HEALTHY_SECONDS else pause
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self.start()
            on_restart()

    def stop(self) -> None:
        """End containerd and wait for its end. Containers run on."""
        found = self.process
        if found is not None:
            terminate(found, grace_seconds=_GRACE_SECONDS)
        self._reap()

    def _spawn(self, command: list[str]) -> None:
        """Start the process and record it. A socket that nobody serves any more would only mislead."""
        for leftover in (self.node.socket, self.node.socket.with_suffix(".ttrpc")):
            leftover.unlink(missing_ok=True)
        environment = {**os.environ, "PATH": programs.search_path()}
        environment.pop("NOTIFY_SOCKET", None)  # our own service's, not containerd's
        with self.node.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603  # no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.node.containerd,
                env=environment,
                start_new_session=True,
            )
        started = identify(self._child.pid)
        if started is not None:
            write_private(self._record, json.dumps(asdict(started)).encode())

    async def _exit(self) -> None:
        """Wait until the process that runs now has ended; it may be nobody's child."""
        found = self.process
        if found is not None:
            await _exit_of(found)
        self._reap()

    def _reap(self) -> None:
        if self._child is not None:
            self._child.wait()
            self._child = None

    def is_serving(self) -> bool:
        """Whether somebody answers on the socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.node.socket))
            except OSError:
                return False
        return True

    def _forget_other_boots(self) -> None:
        """What containerd keeps of running containers means nothing after the machine was started anew."""
        marker, boot = self.node.containerd / "boot", Path("/proc/sys/kernel/random/boot_id").read_text()
        if not marker.exists() or marker.read_text() != boot:
            shutil.rmtree(self.node.containerd / "state", ignore_errors=True)
            marker.write_text(boot)

    def _tail(self) -> str:
        return self.node.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace") if self.node.log.exists() else ""

    @property
    def _record(self) -> Path:
        return self.node.containerd / "process.json"

    @property
    def _configuration(self) -> Path:
        return self.node.containerd / "config.toml"


def inspect_machine(folder: Path) -> Machine:
    """What decides how containers can run whose data is in `folder`."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    may_lower = bool(int(status["CapEff"], 16) & _CAP_SYS_RESOURCE)
    kind = programs.run(["stat", "--file-system", "--format=%T", str(folder)]).strip()
    return Machine(may_lower, "native" if kind == "overlayfs" else "overlayfs", cni.find_plugins())


async def _exit_of(process: ProcessId) -> None:
    """Wait until a process has ended, child or not."""
    try:
        descriptor = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    try:
        loop.add_reader(descriptor, ended.set)
        if process.is_alive:
            await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
