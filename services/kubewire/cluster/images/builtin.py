"""The images that a cluster brings along, built from the machine's own static busybox.

`pause` keeps a pod's namespaces: it waits, collects what a pod's processes leave behind when they share a process
namespace, and ends at once when told to. `demo` serves a page that names the pod it runs in.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from kubewire.cluster.errors import MissingProgram
from kubewire.cluster.images.image import Image
from kubewire.cluster.images.layer import Entry, pack
from kubewire.cluster.images.names import DEMO_IMAGE, SANDBOX_IMAGE
from kubewire.cluster.nodes import programs

DEMO_PORT = 8080
_ELF_INTERPRETER = 3  # the program header that says which dynamic loader a binary needs
_PATH = {"PATH": "/bin"}
_FOLDERS = [Entry(path) for path in ("bin", "dev", "etc", "proc", "root", "sys", "usr", "usr/bin")]
_ACCOUNTS = [
    Entry("etc/passwd", 0o644, b"root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    Entry("etc/group", 0o644, b"root:x:0:\nnogroup:x:65534:\n"),
]
_PAUSE = "trap 'exit 0' TERM INT; while :; do sleep 2147483647 & wait $!; done"
_SERVE = f"""#!/bin/sh
# Serves a page that names the pod. What stands in MESSAGE is told too.
folder=/tmp/www
mkdir -p $folder && cd $folder || exit 1
echo "${{MESSAGE:-Hello}} from ${{POD_NAME:-$(hostname)}}" >index.html
echo ok >healthz
trap 'kill $server; wait $server; exit 0' TERM INT
httpd -f -p "${{PORT:-{DEMO_PORT}}}" -h $folder &
server=$!
wait $server
"""


def build() -> tuple[Image, ...]:
    """All of them; they share their lowest layer.

    Raises:
        MissingProgram: there is no static busybox.
    """
    base = _base_layer()
    serve = pack([Entry("bin/serve", 0o755, _SERVE.encode())])
    return (
        Image(SANDBOX_IMAGE, (base,), ("/bin/sh", "-c", _PAUSE), _PATH),
        Image(DEMO_IMAGE, (base, serve), ("/bin/serve",), _PATH, (f"{DEMO_PORT}/tcp",)),
    )


def _base_layer() -> bytes:
    """busybox under the names of all its applets, and the folders that a container needs."""
    program = Path(programs.find("busybox"))
    content = program.read_bytes()
    if not is_static(content):
        raise MissingProgram(
            f"{program} needs libraries that a container lacks: install a static one "
            "(Debian and Ubuntu: apt-get install busybox-static)"
        )
    applets = subprocess.run([program, "--list"], capture_output=True, text=True, check=True, timeout=10).stdout  # noqa: S603  # found above
    links = [Entry(f"bin/{name}", target="busybox") for name in sorted(applets.split()) if name != "busybox"]
    folders = [*_FOLDERS, Entry("tmp", 0o1777)]
    return pack(
        [
            *folders,
            *_ACCOUNTS,
            Entry("bin/busybox", 0o755, content),
            *links,
            Entry("usr/bin/env", target="/bin/busybox"),
        ]
    )


def is_static(program: bytes) -> bool:
    """Whether a program (64-bit ELF, little-endian) runs without a dynamic loader."""
    if program[:5] != b"\x7fELF\x02":
        return False
    start, size, count = (
        int.from_bytes(program[at : at + length], "little") for at, length in ((0x20, 8), (0x36, 2), (0x38, 2))
    )
    kinds = (int.from_bytes(program[at : at + 4], "little") for at in range(start, start + size * count, size))
    return _ELF_INTERPRETER not in kinds
