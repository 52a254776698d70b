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

from kubewire.cluster import agents, components, machines, state, tokens, wanted
from kubewire.cluster.certificates import serving_certificates
from kubewire.cluster.errors import StartFailed
from kubewire.cluster.etcd_program import EtcdProgram, find_etcd
from kubewire.cluster.home import Home
from kubewire.cluster.kubeconfig import render
from kubewire.cluster.machines import Machines
from kubewire.cluster.nodes.programs import enter, search_path
from kubewire.cluster.ports import Claim
from kubewire.cluster.processes import HOME_VARIABLE
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.wanted import CONTAINERD, SIMULATED, Settings, Wanted
from kubewire.component.files import write_private

_CANNOT_START: Final = 2
_ATTEMPTS: Final = 3
"""A component that ended so often while we wait will not come up."""
_POLL_SECONDS: Final = 0.005
_NODE_POLL_SECONDS: Final = 0.05
_LOG_TAIL_LINES: Final = 15


class Start:
    """One walk. `deadline` is on the monotonic clock."""

    def __init__(self, home: Home, settings: Settings, progress: Callable[[str], None], deadline: float) -> None:
        self._home = home
        self._settings = settings
        self._progress = progress
        self._deadline = deadline
        self._already = state.read(home)
        self._begun = time.time()
        known = {} if self._already is None else self._already.components
        self._nodes_before = {
            name.partition("/")[0]
            for name, one in known.items()
            if one.is_alive and name.endswith((f"/{agents.AGENT}", f"/{agents.KUBELET}"))
        }
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
            etcd = components.etcd(self._home, program)
            machines = self._make_machines(etcd)
            server = components.first(self._home, self._settings)
            containerds = machines.containerds()
            first = [etcd, server, *containerds]
            self._want(first)
            with self._importing_images(machines):
                self._await_api(server, program)
                self._settings = replace(self._settings, etcd_version=version())
                self._leave_credentials()
                self._want([*first, *components.second(self._home, self._settings), *self._agents(machines)])
                self._await_all()
        self._await_services()
        self._await_nodes()
        return self._await_all()

    def _make_machines(self, etcd: Component) -> Machines:
        """The nodes' machines, while a new cluster's etcd starts already.

        Of a cluster that was there before, nothing is started on machines that are gone.
        """
        if self._settings.runtime != CONTAINERD:
            return Machines(None, ())
        if self._already is None:
            self._want([etcd])
        self._progress(f"making {len(self._settings.nodes)} node(s): network namespaces, routes and containerd")
        made = machines.make(self._home, self._settings)
        if made.fabric is not None:
            pods, host = str(made.fabric.networks.pods), made.fabric.host_address
            self._settings = replace(self._settings, host_address=host, pod_addresses=pods)
        return made

    def _agents(self, made: Machines) -> list[Component]:
        """What runs on nodes."""
        if self._settings.runtime == CONTAINERD:
            serving_certificates(self._home, made.places)
            return agents.on_containerd(self._home, self._settings, made.places, enter)
        return agents.simulated(self._home, self._settings) if self._settings.runtime == SIMULATED else []

    @contextmanager
    def _importing_images(self, made: Machines) -> Iterator[None]:
        """Meanwhile images go into the nodes' containerds; they are there when this is left."""
        if not made.places:
            yield
            return
        from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415  # where there are nodes only

        with ThreadPoolExecutor(max_workers=1) as aside:
            importing = aside.submit(self._import_images, made)
            yield
            importing.result()

    def _import_images(self, made: Machines) -> None:
        """The images that a cluster brings along, into each containerd once it serves."""
        for place in made.places:
            for _ in self._until_deadline(f"{place.name}/{machines.ROLE}"):
                if _is_serving(place.socket):
                    break
        made.import_images()

    def _want(self, wave: list[Component]) -> None:
        """Tell the supervisor what is wanted: the wave, and what was wanted before; a repair takes nothing away."""
        before = wanted.read(self._home)
        names = {one.name for one in wave}
        more = [] if before is None else [one for one in before.components if one.name not in names]
        kept = [replace(one, is_stopped=False) for one in more]
        wanted.write(self._home, Wanted(self._settings, (*wave, *kept)))
        found = state.read(self._home)
        if self._supervisor is None and (found is None or not found.supervisor.is_alive):
            self._supervisor = _spawn_supervisor(self._home, self._claims)
        else:
            self._wake_supervisor()

    def _wake_supervisor(self) -> None:
        """It listens to signals once it has written its first state."""
        for _ in self._until_deadline("supervisor"):
            found = state.read(self._home)
            if found is not None and found.supervisor.is_alive:
                os.kill(found.supervisor.pid, signal.SIGHUP)
                return

    def _await_api(self, server: Component, program: EtcdProgram) -> None:
        """The API server listens only when it can serve."""
        release = " (the bundled release, which can lose data in a crash)" if program.may_lose_data else ""
        self._progress(f"starting etcd{release} and the {server.name.replace('-', ' ')}")
        for _ in self._until_deadline(server.name):
            if _is_listened_on(self._settings.rest):
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

    def _await_nodes(self) -> None:
        """Every node has told that it is ready for pods."""
        if not self._settings.nodes:
            return
        from kubewire.cluster.inspection import unready_nodes  # noqa: PLC0415  # where there are nodes only

        self._progress(f"waiting for {', '.join(self._settings.nodes)}")
        # What a node said of itself in an earlier life does not count.
        since = {name: 0.0 if name in self._nodes_before else self._begun for name in self._settings.nodes}
        for _ in self._until_deadline(f"{self._settings.nodes[0]}/{agents.AGENT}"):
            if not unready_nodes(self._home, self._settings, since):
                return
            time.sleep(_NODE_POLL_SECONDS)

    def _await_services(self) -> None:
        """Controllers and scheduler serve. Without nodes nobody waits for them: the API is all there is."""
        for name, address in self._settings.services.items() if self._settings.nodes else ():
            for _ in self._until_deadline(name):
                if _is_listened_on(address):
                    break

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


def _is_listened_on(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except OSError:
        return False
    return True


def _is_serving(path: Path) -> bool:
    """Whether somebody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


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
            env={**os.environ, "PATH": search_path(), HOME_VARIABLE: str(home.path)},
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
