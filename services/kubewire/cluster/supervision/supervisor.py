"""Keeps a cluster's processes running: `python -m kubewire.cluster.supervision.supervisor NAME HOME`.

A process of its own that holds nothing but this, so that it starts at once and costs little. It reads what is wanted
(`wanted.json`, again on SIGHUP), starts what is missing, waits for ends, and writes what runs (`cluster.json`). It only
ever ends strays, never a component: who stops one says so in `wanted.json` first and then ends it. A supervisor that is
killed leaves all components running; the next one finds them by the state file and goes on.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Final

from kubewire.cluster import state, wanted
from kubewire.cluster.home import Home
from kubewire.cluster.processes import HOME_VARIABLE, ProcessId, identify, parent_of, strays, terminate_all
from kubewire.cluster.supervision import plan
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.supervision.plan import Watched
from kubewire.cluster.wanted import Wanted

_SHIM: Final = "containerd-shim"
"""Shims outlive their containerd on purpose: the next one goes on with them."""
_GRACE_SECONDS: Final = 5.0
_NOTHING: Final = Wanted(wanted.Settings("", wanted.NONE, wanted.TOGETHER, (), "", "", "", ""))


class Supervisor:
    """One cluster's. `run` returns after SIGTERM, and leaves everything running."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._own = identify(os.getpid()) or ProcessId(os.getpid(), 0)
        self._wanted = _NOTHING
        self._watched: dict[str, Watched] = {}
        self._descriptors: dict[int, str] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._is_told_to_end = False
        self._is_told_of_change = True

    def run(self) -> None:
        """Supervise until SIGTERM."""
        woken = self._listen_to_signals()
        self._adopt()
        while not self._is_told_to_end:
            if self._is_told_of_change:
                self._is_told_of_change = False
                self._wanted = wanted.read(self._home) or self._wanted
                self._write()
            self._start_due()
            self._wait(woken)

    def _listen_to_signals(self) -> int:
        """SIGHUP: what is wanted has changed. SIGTERM: end. Returns a descriptor that each of them wakes."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing)
        signal.signal(signal.SIGHUP, lambda *_: setattr(self, "_is_told_of_change", True))
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "_is_told_to_end", True))
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return reading

    def _adopt(self) -> None:
        """Go on with what a former supervisor started; end what it started and had no time to write down."""
        known = state.read(self._home)
        for name, found in ({} if known is None else known.components).items():
            if found.process is not None and found.is_alive:
                self._watched[name] = Watched(found.process, time.monotonic(), found.restarts, found.exit_code)
                self._watch(name, found.process)
                _say(f"{name} runs already, as process {found.process.pid}")
        kept = {self._own.pid, *(one.process.pid for one in self._watched.values() if one.process)}
        found_strays = [one for one in strays(self._home.path) if one.pid not in kept and parent_of(one) not in kept]
        unknown = [one for one in found_strays if not _is_shim(one)]
        for one in terminate_all(unknown, grace_seconds=_GRACE_SECONDS):
            _say(f"ended process {one.pid}, which nobody had written down")

    def _start_due(self) -> None:
        due = plan.due(self._wanted.components, self._watched, time.monotonic())
        for component in due:
            self._start(component)
        if due:
            self._write()

    def _start(self, component: Component) -> None:
        try:
            child = spawn(self._home, component)
        except OSError as error:
            _say(f"{component.name} cannot be started: {error}")
            before = self._watched.get(component.name, Watched())
            self._watched[component.name] = plan.ended(before, None, time.monotonic())
            return
        process = identify(child.pid) or ProcessId(child.pid, 0)
        self._watched[component.name] = plan.started(self._watched.get(component.name), process, time.monotonic())
        self._children[child.pid] = child
        self._watch(component.name, process)
        _say(f"{component.name} started as process {child.pid}")

    def _watch(self, name: str, process: ProcessId) -> None:
        self._descriptors[os.pidfd_open(process.pid)] = name

    def _wait(self, woken: int) -> None:
        """Until something ended, a signal came, or a start is due."""
        seconds = plan.pause(self._wanted.components, self._watched, time.monotonic())
        poll = select.poll()
        for descriptor in (woken, *self._descriptors):
            poll.register(descriptor, select.POLLIN)
        if self._is_told_to_end or self._is_told_of_change:
            return
        ready = [descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000 + 1)]
        if woken in ready:
            os.read(woken, 4096)
        for descriptor in ready:
            if descriptor in self._descriptors:
                self._on_end(descriptor)

    def _on_end(self, descriptor: int) -> None:
        """A component's process has ended."""
        name = self._descriptors.pop(descriptor)
        os.close(descriptor)
        before = self._watched[name]
        child = self._children.pop(before.process.pid, None) if before.process else None
        exit_code = None if child is None else child.wait()
        self._watched[name] = plan.ended(before, exit_code, time.monotonic())
        self._wanted = wanted.read(self._home) or self._wanted  # whether it was stopped on purpose
        self._write()
        _say(f"{name} ended{'' if exit_code is None else f' with code {exit_code}'}")

    def _write(self) -> None:
        components = {one.name: self._state_of(one) for one in self._wanted.components}
        state.write(self._home, state.ClusterState(self._wanted.settings, self._own, components))

    def _state_of(self, component: Component) -> state.ComponentState:
        found = self._watched.get(component.name, Watched())
        return state.ComponentState(found.process, found.restarts, found.exit_code, component.is_stopped)


def spawn(home: Home, component: Component) -> subprocess.Popen[bytes]:
    """Start a component's process, in a session of its own, with its output in its log.

    Raises:
        OSError: its program cannot be started.
    """
    for name in component.stale:
        (home.path / name).unlink(missing_ok=True)
    log = home.log(component.name)
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # what `up` wrote down, no shell
            component.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=home.path,
            env={**os.environ, HOME_VARIABLE: str(home.path)},
        )


def _is_shim(process: ProcessId) -> bool:
    try:
        return _SHIM in Path(f"/proc/{process.pid}/cmdline").read_text(errors="replace").partition("\0")[0]
    except OSError:
        return False  # it is gone


def _say(text: str) -> None:
    print(time.strftime("%Y-%m-%dT%H:%M:%S"), text, flush=True)  # noqa: T201  # its output is its log


def _only_one(home: Home) -> IO[str] | None:
    """The lock of the cluster's one supervisor, None if there is another."""
    held = home.supervisor_lock.open("w")
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        held.close()
        return None
    return held


def main(arguments: list[str]) -> int:
    """Exit code 0 after SIGTERM, 1 if the cluster has a supervisor already."""
    home = Home(arguments[0], Path(arguments[1]))
    held = _only_one(home)
    if held is None:
        _say("there is another supervisor")
        return 1
    with held:
        Supervisor(home).run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
