"""What the kernel knows about this process, under the names all Prometheus clients use."""

from __future__ import annotations

import gc
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubewire.component.metrics.families import Labels
    from kubewire.component.metrics.registry import Registry

_PAGE_BYTES: Final = resource.getpagesize()
_TICKS: Final = os.sysconf("SC_CLK_TCK")


def add_process_metrics(registry: Registry) -> None:
    """Processor time, memory, files and collections; read when metrics are read."""
    registry.computed(
        "process_cpu_seconds_total", "Processor time used, in seconds.", kind="counter", collect=_one(_cpu_seconds)
    )
    registry.computed("process_resident_memory_bytes", "Resident memory.", collect=_one(_resident_bytes))
    registry.computed("process_virtual_memory_bytes", "Virtual memory.", collect=_one(_virtual_bytes))
    registry.computed("process_open_fds", "Open files.", collect=_one(_open_files))
    registry.computed("process_max_fds", "Files that may be open.", collect=_one(_max_files))
    started = _start_seconds()
    registry.computed(
        "process_start_time_seconds", "When the process started, Unix time.", collect=_one(lambda: started)
    )
    registry.computed(
        "python_gc_collections_total", "Garbage collections.", ("generation",), kind="counter", collect=_collections
    )
    version = ".".join(map(str, sys.version_info[:3]))
    info = (sys.implementation.name, version)
    registry.computed("python_info", "The interpreter.", ("implementation", "version"), collect=lambda: [(info, 1.0)])


def _one(number: Callable[[], float]) -> Callable[[], list[tuple[Labels, float]]]:
    return lambda: [((), number())]


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system


def _memory_pages() -> tuple[int, int]:
    total, resident, *_ = Path("/proc/self/statm").read_text(encoding="ascii").split()
    return int(total), int(resident)


def _resident_bytes() -> float:
    return _memory_pages()[1] * _PAGE_BYTES


def _virtual_bytes() -> float:
    return _memory_pages()[0] * _PAGE_BYTES


def _open_files() -> float:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _max_files() -> float:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _collections() -> list[tuple[Labels, float]]:
    return [((str(number),), float(stats["collections"])) for number, stats in enumerate(gc.get_stats())]


def _start_seconds() -> float:
    """From the kernel's count of clock ticks since boot at which the process began."""
    after_name = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    since_boot = int(after_name[19]) / _TICKS
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot
