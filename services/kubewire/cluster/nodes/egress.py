"""The one thing that a local cluster changes on the host: a small nftables table and the forwarding switch.

They let nodes and pods reach the world (image pulls, outgoing requests) under the host's address. What the switch was
is kept in the table itself, which was there before the switch was touched and lives as long as the switch stays as it
is: until `close`, or the next boot. Of several clusters the last one to go puts it back.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from kubewire.cluster.errors import StartFailed
from kubewire.cluster.nodes import names, programs
from kubewire.cluster.nodes.place import Fabric

_FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")
_MARK = "forwarding_was_"


def rules(fabric: Fabric, forwarding: str) -> str:
    """The table, as `nft` reads it. Nobody outside gets in by it: only answers do."""
    table, link = names.egress_table(fabric.cluster), fabric.host_interface
    networks = f"{{ {fabric.networks.nodes}, {fabric.networks.pods} }}"
    return f"""table ip {table} {{}}
delete table ip {table}
table ip {table} {{
  chain {_MARK}{forwarding} {{
  }}
  chain entering {{
    type filter hook forward priority filter; policy accept;
    oifname "{link}" ct state established,related accept
    oifname "{link}" drop
  }}
  chain leaving {{
    type nat hook postrouting priority srcnat; policy accept;
    oifname != "{link}" ip saddr {networks} masquerade
  }}
}}
"""


def open_(fabric: Fabric) -> None:
    """Let the cluster out, unless it is.

    Raises:
        MissingProgram: nft is not installed.
        StartFailed: the kernel refused.
    """
    before = next(iter(_remembered().values()), _FORWARDING.read_text().strip())
    programs.run(["nft", "-f", "-"], rules(fabric, before))
    try:
        _set_forwarding("1")
    except OSError as error:
        close(fabric.cluster)
        raise StartFailed(f"{_FORWARDING} cannot be set: {error.strerror}") from None


def close(cluster: str) -> None:
    """Take back what `open_` did. The switch stays on while another cluster needs it.

    Raises:
        StartFailed: the kernel refused.
    """
    remembered = _remembered()
    before = remembered.pop(names.egress_table(cluster), None)
    if before is None:
        return
    if not remembered:
        _set_forwarding(before)
    programs.run(["nft", "delete", "table", "ip", names.egress_table(cluster)])


def is_open(cluster: str) -> bool:
    """Whether the host has a table of this cluster's."""
    return names.egress_table(cluster) in _remembered()


def remembered_in(listing: str) -> dict[str, str]:
    """What each cluster's table says the switch was, from nft's JSON listing of chains."""
    chains = [entry["chain"] for entry in json.loads(listing or "{}").get("nftables", []) if "chain" in entry]
    return {
        chain["table"]: found[1]
        for chain in chains
        if chain["table"].startswith(names.egress_table(""))
        and (found := re.fullmatch(_MARK + "([01])", chain["name"]))
    }


def _remembered() -> dict[str, str]:
    done = programs.attempt(["nft", "--json", "list", "chains", "ip"])
    return remembered_in(done.stdout) if done.returncode == 0 else {}


def _set_forwarding(value: str) -> None:
    if _FORWARDING.read_text().strip() != value:
        _FORWARDING.write_text(value)
