"""Who a cluster's components are to the API server: a token each, in one table and in a file of its own.

Tokens and not certificates, because they cost nothing to make: no component's start waits for a key to be signed.
"""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from kubewire.cluster.home import Home
from kubewire.component.files import write_private

_BYTES: Final = 32
_MASTERS: Final = "system:masters"
_NODES: Final = "system:nodes"


class Owner(NamedTuple):
    """Whom a token stands for. `file` is its name below `pki`, without `.token`."""

    file: str
    user: str
    groups: tuple[str, ...] = ()


ADMIN: Final = Owner("admin", "admin", (_MASTERS,))
CONTROL_PLANE: Final = (
    Owner("controller-manager", "system:kube-controller-manager"),
    Owner("scheduler", "system:kube-scheduler"),
    Owner("kube-proxy", "system:kube-proxy"),
)


def kubelet(node: str) -> Owner:
    """A node's own identity: it may touch what concerns it, and nothing of other nodes."""
    return Owner(f"kubelet-{node}", f"system:node:{node}", (_NODES,))


def token_file(home: Home, owner: str) -> Path:
    """The file with one owner's token; `owner` is `Owner.file`."""
    return home.token if owner == ADMIN.file else home.pki / f"{owner}.token"


def ensure(home: Home, nodes: Iterable[str]) -> None:
    """Make what is missing. Tokens that exist stay, or whoever holds one would be locked out."""
    owners = [ADMIN, *CONTROL_PLANE, *map(kubelet, nodes)]
    text = home.token_table.read_text() if home.token_table.exists() else ""
    table, known = merged(text, owners)
    if table != text:
        write_private(home.token_table, table.encode())
    for owner in owners:
        path, content = token_file(home, owner.file), known[owner.user].encode() + b"\n"
        if not path.exists() or path.read_bytes() != content:
            write_private(path, content)


def merged(text: str, owners: Iterable[Owner]) -> tuple[str, Mapping[str, str]]:
    """The table with a row for each owner, and all tokens by user. Rows of others are kept as they are."""
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    known = {row[1]: row for row in rows if len(row) > 1}
    for owner in owners:
        token = known[owner.user][0] if owner.user in known else secrets.token_urlsafe(_BYTES)
        known[owner.user] = [token, owner.user, owner.user, ",".join(owner.groups)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(known.values())
    return out.getvalue(), {user: row[0] for user, row in known.items()}
