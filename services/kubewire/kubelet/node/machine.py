"""What the machine is: processors, memory, disk, kernel. Read from /proc, /sys and the file system."""

from __future__ import annotations

import os
import platform
import socket
from pathlib import Path
from typing import Final, NamedTuple

_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "ppc64le": "ppc64le", "s390x": "s390x"}
_ANYWHERE: Final = ("192.0.2.1", 9)
"""An address of nobody's (RFC 5737): asking which of ours leads there sends nothing."""


class Machine(NamedTuple):
    """What does not change while the kubelet runs."""

    cpus: int
    memory_bytes: int
    machine_id: str
    system_uuid: str
    boot_id: str
    kernel: str
    os_image: str
    architecture: str


class Room(NamedTuple):
    """What is free now."""

    memory_bytes: int
    disk_bytes: int
    disk_total_bytes: int
    pids: int
    pids_total: int


def read_machine() -> Machine:
    """The machine."""
    return Machine(
        cpus=os.cpu_count() or 1,
        memory_bytes=_memory("MemTotal"),
        machine_id=_text("/etc/machine-id"),
        system_uuid=_text("/sys/class/dmi/id/product_uuid") or _text("/etc/machine-id"),
        boot_id=_text("/proc/sys/kernel/random/boot_id"),
        kernel=platform.release(),
        os_image=_os_image(),
        architecture=architecture(),
    )


def read_room(folder: Path) -> Room:
    """What is free; the disk is the one that `folder` is on."""
    disk = os.statvfs(folder)
    load, most = _text("/proc/loadavg").split(), _text("/proc/sys/kernel/pid_max")
    return Room(
        memory_bytes=_memory("MemAvailable"),
        disk_bytes=disk.f_bavail * disk.f_frsize,
        disk_total_bytes=disk.f_blocks * disk.f_frsize,
        pids=int(load[3].partition("/")[2]) if len(load) > 3 else 0,
        pids_total=int(most) if most.isdigit() else 32768,
    )


def architecture() -> str:
    """As Kubernetes calls it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def default_address() -> str:
    """The address that the default route leaves from; the loopback address if there is no such route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ANYWHERE)
        except OSError:
            return "127.0.0.1"
        address: str = probe.getsockname()[0]
        return address


def _memory(name: str) -> int:
    for line in _text("/proc/meminfo").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def _os_image() -> str:
    for line in _text("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
