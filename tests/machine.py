"""What is on this machine that a cluster may leave behind, as text to compare before and after.

The machine is shared: other tests and programs come and go. `alone` runs a module of the tests in namespaces of its
own (mounts, network, processes) with an empty /run and /var/lib, so that whatever differs afterwards is its doing.
"""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from kubewire.cluster.nodes import kernel_state, programs, tenants

Snapshot = dict[str, list[str]]

SECONDS: Final = 120.0
_FOLDERS: Final = ("/run", "/var/lib")
# Copies of other tests' mounts would vanish with the folders they are on.
_ALONE: Final = """
awk '$3 == "overlay" || $3 == "nsfs" || $1 == "shm" { print $2 }' /proc/mounts | xargs --no-run-if-empty umount --lazy
for folder in /run /var/lib; do mount -t tmpfs tmpfs $folder; done
ip link set lo up
exec "$@"
"""


def snapshot(cgroup: str) -> Snapshot:
    """Everything of interest, by kind. Of cgroups those with a folder `cgroup` in their path."""
    return {
        "mounts": sorted(f"{mount.path} {mount.kind}" for mount in kernel_state.mounts()),
        "namespaces": sorted({one.namespace for one in tenants.survey() if not one.is_dead}),
        "processes": sorted(one.name for one in tenants.survey() if not one.is_dead and one.name != "ps"),
        "links": sorted(str(row["ifname"]) for row in programs.ip_json(["link", "show"])),
        "routes": _lines(["ip", "route", "show", "table", "all"]),
        "rules": _lines(["nft", "list", "ruleset"]),
        "forwarding": [Path("/proc/sys/net/ipv4/ip_forward").read_text().strip()],
        "cgroups": [
            folder
            for root in kernel_state.cgroup_roots()
            for folder, _, _ in os.walk(root)
            if cgroup in Path(folder).parts
        ],
        "files": sorted(
            os.path.join(folder, name)  # noqa: PTH118  # thousands of names
            for top in _FOLDERS
            for folder, folders, files in os.walk(top)
            for name in (*folders, *files)
        ),
    }


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What has come (+) and what has gone (-), how often it may be there."""
    told = []
    for kind in before:
        was, now = Counter(before[kind]), Counter(after[kind])
        told += [f"+ {kind}: {line}" for line in (now - was).elements()]
        told += [f"- {kind}: {line}" for line in (was - now).elements()]
    return told


def alone(module: str, *arguments: str) -> dict[str, object]:
    """What a module run as a program prints as JSON, having the machine for itself."""
    inside = ["sh", "-ec", _ALONE, "sh", sys.executable, "-m", module, *arguments]
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", *inside]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{module} failed:\n{done.stdout[-3000:]}{done.stderr[-6000:]}"
    told = json.loads(done.stdout)
    assert isinstance(told, dict)
    return told


def _lines(command: list[str]) -> list[str]:
    return programs.attempt(command).stdout.splitlines()
