"""Where a local cluster keeps what it has on disk.

One folder holds everything: `$KUBEWIRE_HOME` if set, else `~/.kubewire/<name>`. It is readable by its owner alone,
because it holds the admin's token and etcd's unauthenticated socket.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from kubewire.cluster.errors import InvalidRequest

DEFAULT_NAME = "default"
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
# A socket's whole path must fit in 108 bytes (unix(7)); the longest name below the folder takes 16.
_LONGEST_PATH = 90


@dataclass(frozen=True, slots=True)
class Home:
    """Paths of one cluster."""

    name: str
    path: Path

    @property
    def kubeconfig(self) -> Path:
        """For kubectl: server, CA and the admin's token."""
        return self.path / "kubeconfig"

    @property
    def pki(self) -> Path:
        """Certificates and keys: `ca.crt`, `apiserver.crt`, `apiserver.key` ..."""
        return self.path / "pki"

    @property
    def token(self) -> Path:
        """The admin's bearer token, alone in its file."""
        return self.path / "token"

    @property
    def token_table(self) -> Path:
        """The same token with its user and group, as the API server reads it."""
        return self.path / "pki" / "tokens.csv"

    @property
    def etcd_data(self) -> Path:
        """etcd's data directory."""
        return self.path / "etcd"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.path / "logs"

    @property
    def state(self) -> Path:
        """What runs, and where it listens."""
        return self.path / "cluster.json"

    @property
    def wanted(self) -> Path:
        """What is to run, and how it is started."""
        return self.path / "wanted.json"

    @property
    def nodes(self) -> Path:
        """One folder for each node: what its programs keep."""
        return self.path / "nodes"

    @property
    def lock(self) -> Path:
        """Held by the command that changes the cluster."""
        return self.path / "lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the supervisor while it lives."""
        return self.path / "supervisor.lock"

    def log(self, component: str) -> Path:
        """What a component says."""
        return self.logs / f"{component}.log"

    def create(self) -> None:
        """Make the folders, for their owner alone."""
        for folder in (self.path, self.pki, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def locate(name: str) -> Home:
    """The home of the cluster `name`; nothing is created.

    Raises:
        InvalidRequest: the name is no DNS label of at most 40 characters, or the path is too long for sockets.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"--name {name!r}: a cluster's name has at most 40 lower case letters, digits and '-', such as 'dev'"
        )
    override = os.environ.get("KUBEWIRE_HOME")
    path = Path(override).expanduser().absolute() if override else Path.home() / ".kubewire" / name
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise InvalidRequest(f"KUBEWIRE_HOME {path}: too long for sockets below it, at most {_LONGEST_PATH} bytes")
    return Home(name, path)
