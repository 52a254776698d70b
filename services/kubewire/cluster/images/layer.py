"""A layer of an image: a tar archive that is the same, byte for byte, wherever and whenever it is made."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """One file, folder or link of a layer, owned by root and from 1970.

    `content` is a file's bytes; `target` what a symbolic link points to; neither makes a folder.
    """

    path: str
    mode: int = 0o755
    content: bytes | None = None
    target: str | None = None


def pack(entries: Iterable[Entry]) -> bytes:
    """The archive of these entries, in this order."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry in entries:
            archive.addfile(_header(entry), io.BytesIO(entry.content or b""))
    return out.getvalue()


def _header(entry: Entry) -> tarfile.TarInfo:
    header = tarfile.TarInfo(entry.path)
    header.mode = entry.mode
    if entry.target is not None:
        header.type, header.linkname, header.mode = tarfile.SYMTYPE, entry.target, 0o777
    elif entry.content is not None:
        header.size = len(entry.content)
    else:
        header.type = tarfile.DIRTYPE
    return header
