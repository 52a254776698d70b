"""Starting a cluster.

The control plane is started at once as a process of its own, and everything slow (etcd, certificates, imports) goes
on side by side in there; it reports each step through a pipe, on which this module waits.
"""

from __future__ import annotations

import fcntl
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kubewire.cluster import processes, state
from kubewire.cluster.errors import InvalidRequest, StartFailed
from kubewire.cluster.etcd_program import find_etcd
from kubewire.cluster.home import Home
from kubewire.cluster.reports import FAILED, READY, REPORT_ENVIRONMENT

_LOG_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class UpOptions:
    """What `kubewire up` may be asked for. A port of None means the usual one, or any free one if that is taken."""

    runtime: str = "none"
    secure_port: int | None = None
    grpc_port: int | None = None
    insecure_grpc: bool = False
    wait_seconds: float = 60.0


@contextmanager
def exclusive(home: Home) -> Iterator[None]:
    """Only one command at a time may change a cluster.

    Raises:
        InvalidRequest: another command is at it.
    """
    home.create()
    with home.lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidRequest(f"another command is changing cluster {home.name!r}: wait for it") from None
        yield


def up(home: Home, options: UpOptions, progress: Callable[[str], None]) -> state.ClusterState:
    """Start the cluster unless it runs, wait until its API answers, and say what runs.

    Raises:
        InvalidRequest, MissingProgram: it cannot be started like this.
        StartFailed: it ended or was not ready in time; nothing is left running.
    """
    with exclusive(home):
        found = state.read(home)
        if found is not None and found.is_running:
            return found
        _end_leftovers(found)
        find_etcd()  # says what to install before anything is started
        process, reports = _start(home, options)
        try:
            _await_ready(home, process, reports, options.wait_seconds, progress)
        except BaseException:
            _end(process)
            raise
        return state.running(home)


def _end_leftovers(found: state.ClusterState | None) -> None:
    """An etcd whose control plane was killed."""
    if found is not None:
        processes.terminate(found.etcd, grace_seconds=10)


def _start(home: Home, options: UpOptions) -> tuple[subprocess.Popen[bytes], int]:
    """The control plane's process and the reading end of its reports."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "kubewire.cluster.control_plane", home.name, str(home.path)]
    command += [f"--runtime={options.runtime}"]
    command += [] if options.secure_port is None else [f"--secure-port={options.secure_port}"]
    command += [] if options.grpc_port is None else [f"--grpc-port={options.grpc_port}"]
    command += ["--insecure-grpc"] if options.insecure_grpc else []
    environment = {**os.environ, REPORT_ENVIRONMENT: str(writing)}
    try:
        with (home.logs / "control-plane.log").open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  # our own module, no shell
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(writing,),
                start_new_session=True,
                cwd=home.path,
                env=environment,
            )
    finally:
        os.close(writing)
    return process, reading


def _await_ready(
    home: Home, process: subprocess.Popen[bytes], reports: int, seconds: float, progress: Callable[[str], None]
) -> None:
    """Pass on reports until the one that says ready."""
    for line in _lines(reports, time.monotonic() + seconds):
        if line == READY:
            return
        if line.startswith(FAILED):
            raise StartFailed(line.removeprefix(FAILED))
        progress(line)
    log = home.logs / "control-plane.log"
    if process.poll() is None:
        raise StartFailed(f"not ready after {seconds:g} s; its log is {log}:\n{_tail(log)}")
    raise StartFailed(f"the control plane ended with exit code {process.returncode}; its log is {log}:\n{_tail(log)}")


def _lines(descriptor: int, deadline: float) -> Iterator[str]:
    """Lines that arrive on a pipe, until its end or the deadline."""
    pending = b""
    with os.fdopen(descriptor, "rb", buffering=0) as reports:
        while select.select([reports], [], [], max(0.0, deadline - time.monotonic()))[0]:
            data = reports.read(4096)
            if not data:
                return
            *whole, pending = (pending + data).split(b"\n")
            yield from (line.decode() for line in whole)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a control plane that did not come up; it ends its etcd itself."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:])
