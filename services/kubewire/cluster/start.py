"""The walk from whatever is there to a cluster that is ready. Each step does what is missing, and nothing else."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from kubewire.cluster import components, state, tokens, wanted
from kubewire.cluster.errors import StartFailed
from kubewire.cluster.etcd_program import EtcdProgram, find_etcd
from kubewire.cluster.home import Home
from kubewire.cluster.kubeconfig import render
from kubewire.cluster.ports import Claim
from kubewire.cluster.processes import HOME_VARIABLE
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.wanted import Settings, Wanted
from kubewire.component.files import write_private

_CANNOT_START: Final = 2
_ATTEMPTS: Final = 3
"""A component that ended so often while we wait will not come up."""
_POLL_SECONDS: Final = 0.005
_LOG_TAIL_LINES: Final = 15


class Start:
    """One walk. `deadline` is on the monotonic clock."""

    def __init__(self, home: Home, settings: Settings, progress: Callable[[str], None], deadline: float) -> None:
        self._home = home
        self._settings = settings
        self._progress = progress
        self._deadline = deadline
        self._already = state.read(home)
        self._claims: Sequence[Claim] = ()
        self._supervisor: subprocess.Popen[bytes] | None = None

    def run(self, claims: Sequence[Claim]) -> state.ClusterState:
        """Returns when the cluster is ready; the supervisor has the claims of its ports then.

        Raises:
            MissingProgram: something has to be installed.
            StartFailed: a part ended, or was not ready in time.
        """
        self._claims = claims
        program = find_etcd()
        tokens.ensure(self._home, self._settings.nodes)
        with _version(program) as version:
            first = [components.etcd(self._home, program), components.first(self._home, self._settings)]
            self._want(first)
            self._supervise()
            self._await_api(first, program)
            self._settings = replace(self._settings, etcd_version=version())
        self._leave_credentials()
        everything = [*first, *components.second(self._home, self._settings)]
        self._want(everything)
        self._supervise()
        return self._await_all()

    def _want(self, wave: list[Component]) -> None:
        """Write down what is wanted: the wave, and what was wanted before, so that a repair takes nothing away."""
        before = wanted.read(self._home)
        names = {one.name for one in wave}
        more = [] if before is None else [one for one in before.components if one.name not in names]
        kept = [replace(one, is_stopped=False) for one in more]
        wanted.write(self._home, Wanted(self._settings, (*wave, *kept)))

    def _supervise(self) -> None:
        """Tell the supervisor, and start one where there is none."""
        found = state.read(self._home)
        if self._supervisor is None and (found is None or not found.supervisor.is_alive):
            self._supervisor = _spawn_supervisor(self._home, self._claims)
        elif found is not None and found.supervisor.is_alive:
            os.kill(found.supervisor.pid, signal.SIGHUP)

    def _await_api(self, first: list[Component], program: EtcdProgram) -> None:
        """The API server listens only when it can serve."""
        release = " (the bundled release, which can lose data in a crash)" if program.may_lose_data else ""
        self._progress(f"starting etcd{release} and the {first[-1].name.replace('-', ' ')}")
        host, _, port = self._settings.rest.rpartition(":")
        for _ in self._until_deadline(first[-1].name):
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
            except OSError:
                continue
            return

    def _leave_credentials(self) -> None:
        """What people reach the cluster with."""
        authority = (self._home.pki / "ca.crt").read_bytes()
        token = self._home.token.read_text().strip()
        server = f"https://{self._settings.rest}"
        text = render(cluster=self._home.name, server=server, ca=authority, token=token)
        if not self._home.kubeconfig.exists() or self._home.kubeconfig.read_bytes() != text:
            write_private(self._home.kubeconfig, text)

    def _await_all(self) -> state.ClusterState:
        """All processes run, and the state file knows them."""
        names = {one.name for one in (wanted.read(self._home) or Wanted(self._settings)).components}
        for _ in self._until_deadline("cluster"):
            found = state.read(self._home)
            if (
                found is not None
                and found.settings == self._settings
                and found.is_whole
                and names <= set(found.components)
            ):
                return found
        raise AssertionError  # _until_deadline raises

    def _until_deadline(self, what: str) -> Iterator[None]:
        """Again and again while nothing has failed.

        Raises:
            StartFailed: something has, or the time is over.
        """
        while True:
            yield
            if time.monotonic() > self._deadline:
                raise StartFailed(f"{what}: not ready in time; {_tail(self._home.log(what))}")
            self._check_failures()
            time.sleep(_POLL_SECONDS)

    def _check_failures(self) -> None:
        if self._supervisor is not None and self._supervisor.poll() is not None:
            raise StartFailed(f"the supervisor ended; {_tail(self._home.log('supervisor'))}")
        found = state.read(self._home)
        for name, one in ({} if found is None else found.components).items():
            before = self._already.components.get(name) if self._already else None
            restarts = one.restarts - (before.restarts if before else 0)
            cannot_start = one.exit_code == _CANNOT_START and not one.is_alive
            if (cannot_start and (before is None or before.is_alive)) or restarts >= _ATTEMPTS:
                raise StartFailed(f"{name} ended with exit code {one.exit_code}; {_tail(self._home.log(name))}")


def _spawn_supervisor(home: Home, claims: Sequence[Claim]) -> subprocess.Popen[bytes]:
    with home.log("supervisor").open("ab") as log:
        return subprocess.Popen(  # noqa: S603  # our own module, no shell
            [sys.executable, "-m", "kubewire.cluster.supervision.supervisor", home.name, str(home.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[claim.fileno() for claim in claims],
            cwd=home.path,
            env={**os.environ, HOME_VARIABLE: str(home.path)},
        )


@contextmanager
def _version(program: EtcdProgram) -> Iterator[Callable[[], str]]:
    """Ask the binary which release it is, while other things go on; what is yielded waits for the answer."""
    asked = subprocess.Popen([program.path, "--version"], stdout=subprocess.PIPE, text=True)  # noqa: S603  # we run it anyway

    def answer() -> str:
        told, _ = asked.communicate(timeout=10)
        found = re.search(r"etcd Version: (\S+)", told)
        return found[1] if found else "unknown"

    try:
        yield answer
    finally:
        asked.kill()
        asked.wait()
        if asked.stdout is not None:
            asked.stdout.close()


def _tail(log: Path) -> str:
    if not log.exists():
        return "it has no log"
    lines = log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return "\n".join([f"its log is {log}:", *lines])
