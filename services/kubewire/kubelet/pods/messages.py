"""What a container left to say of its end: a file it wrote, or the end of its log."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Container, Phase

_MESSAGE_BYTES: Final = 4096
_LOG_BYTES: Final = 2048
_LOG_LINES: Final = 80


def with_message(container: Container) -> Container:
    """The container with its termination message, if it has ended and left one."""
    if container.phase is not Phase.EXITED:
        return container
    annotations = container.annotations
    message = _end_of(annotations.get(labels.MESSAGE_FILE, ""), _MESSAGE_BYTES)
    is_fallback = annotations.get(labels.MESSAGE_POLICY, "") == "FallbackToLogsOnError"
    if not message and is_fallback and container.exit_code != 0:
        message = log_end(_end_of(annotations.get(labels.LOG_FILE, ""), 4 * _LOG_BYTES))
    return replace(container, message=message) if message else container


def log_end(written: str) -> str:
    """The last lines of a log in CRI's form (`<time> <stream> <P or F> <text>`) as the container wrote them."""
    lines: Sequence[str] = written.splitlines()[-_LOG_LINES:]
    texts = [line.split(" ", 3)[3] for line in lines if line.count(" ") >= 3]
    return "\n".join(texts).encode()[-_LOG_BYTES:].decode(errors="ignore")


def _end_of(path: str, size: int) -> str:
    """The last bytes of a file; empty if there is none. Never waits: it may be anything the container made of it."""
    if not path:
        return ""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        start = max(0, os.fstat(descriptor).st_size - size)
        return os.pread(descriptor, size, start).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(descriptor)
