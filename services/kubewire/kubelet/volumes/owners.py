"""Who owns what is in volumes: `fsGroup`, and the user that tokens are for.

Files of a group are readable by it (and writable in volumes that can be written to), and what is made in its folders
becomes the group's too.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod

_READ: Final = 0o440
_READ_WRITE: Final = 0o660
_ENTER: Final = 0o110


def fs_group_of(pod: Pod) -> int | None:
    """The group that volumes of a pod belong to."""
    context = pod.spec.securityContext
    return context.fsGroup if context.HasField("fsGroup") else None


def owner_of_tokens(pod: Pod) -> int | None:
    """The user that every container of a pod runs as; None if they differ or the image decides."""
    users = {_user(pod, container) for container in (*pod.spec.initContainers, *pod.spec.containers)}
    return users.pop() if len(users) == 1 else None


def _user(pod: Pod, container: Container) -> int | None:
    for context in (container.securityContext, pod.spec.securityContext):
        if context.HasField("runAsUser"):
            return context.runAsUser
    return None


def give_to_group(descriptor: int, group: int, *, is_writable: bool) -> None:
    """Have an open folder or file belong to a group, with the group's rights."""
    mode = os.fstat(descriptor).st_mode
    rights = _READ_WRITE if is_writable else _READ
    if stat.S_ISDIR(mode):
        rights |= _ENTER | stat.S_ISGID
    os.fchown(descriptor, -1, group)
    os.fchmod(descriptor, stat.S_IMODE(mode) | rights)


def give_folder_to_group(folder: Path, group: int, *, is_writable: bool) -> None:
    """The same for a folder by its path; a symlink in its place is an error."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        give_to_group(descriptor, group, is_writable=is_writable)
    finally:
        os.close(descriptor)
