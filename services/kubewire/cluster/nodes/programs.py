"""Running the system's own network tools: `ip`, `nft`, `nsenter`.

A batch of commands is one process and takes 2 to 4 ms; why these tools and no library stands in docs/adr/0018.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from kubewire.cluster.errors import MissingProgram, StartFailed
from kubewire.cluster.nodes.place import NETWORK_NAMESPACES

_SECONDS = 20.0
_MESSAGE_CHARACTERS = 120
_SYSTEM_FOLDERS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin")
_PACKAGES = {
    "ip": "iproute2",
    "nft": "nftables",
    "nsenter": "util-linux",
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "runc": "runc",
    "busybox": "busybox-static",
    "iptables": "iptables",
}


def search_path() -> str:
    """PATH with the folders of system programs, which an ordinary user's lacks."""
    present = [folder for folder in os.environ.get("PATH", "").split(":") if folder]
    return ":".join([*present, *(folder for folder in _SYSTEM_FOLDERS if folder not in present)])


@cache
def find(program: str) -> str:
    """The path of a system program.

    Raises:
        MissingProgram: it is not installed.
    """
    path = shutil.which(program, path=search_path())
    if path is None:
        package = _PACKAGES.get(program, program)
        raise MissingProgram(f"{program} is not installed: install it (Debian and Ubuntu: apt-get install {package})")
    return path


def run(command: list[str], given: str = "") -> str:
    """The output of a program that has to work.

    Raises:
        MissingProgram: it is not installed.
        StartFailed: it failed, or took longer than 20 s.
    """
    done = attempt(command, given)
    if done.returncode:
        raise StartFailed(f"`{_short(command)}` failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def attempt(command: list[str], given: str = "") -> subprocess.CompletedProcess[str]:
    """What a program did that may fail.

    Raises:
        MissingProgram: it is not installed.
        StartFailed: it took longer than 20 s.
    """
    program, *arguments = command
    environment = {**os.environ, "PATH": search_path(), "LC_ALL": "C"}
    try:
        return subprocess.run(  # noqa: S603  # no shell; names are checked labels
            [find(program), *arguments],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            env=environment,
        )
    except subprocess.TimeoutExpired:
        raise StartFailed(f"`{_short(command)}` took longer than {_SECONDS:g} s") from None


def ip_batch(lines: list[str], namespace: str | None = None) -> None:
    """Carry out `ip` commands in one namespace (None: our own), all or up to the first that fails.

    Raises:
        StartFailed: naming the command.
    """
    if lines:
        run([*_ip(namespace), "-batch", "-"], "\n".join(lines) + "\n")


def ip_json(arguments: list[str], namespace: str | None = None) -> list[dict[str, object]]:
    """What `ip` shows; nothing at all where the namespace is gone."""
    done = attempt([*_ip(namespace), "-json", *arguments])
    rows = json.loads(done.stdout) if done.returncode == 0 and done.stdout.strip() else []
    return [row for row in rows if isinstance(row, dict) and row]


def enter(namespace: str) -> list[str]:
    """The words before a command that make it run inside a namespace.

    Not `ip netns exec`: that mounts /sys anew, which hides the cgroups from runc.
    """
    return [find("nsenter"), f"--net={NETWORK_NAMESPACES / namespace}"]


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold what clusters of one machine share: two that start together must not choose the same network.

    The lock is on a folder of the system, so that it leaves nothing behind.
    """
    descriptor = os.open("/run", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _short(command: list[str]) -> str:
    """A command for a message; a script is known by its beginning."""
    return textwrap.shorten(" ".join(command), _MESSAGE_CHARACTERS, placeholder=" ...")


def _ip(namespace: str | None) -> list[str]:
    return ["ip", "-netns", namespace] if namespace else ["ip"]
