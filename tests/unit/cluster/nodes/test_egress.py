"""The cluster's one table on the host."""

import json

from kubewire.cluster.nodes.egress import remembered_in, rules
from tests.unit.cluster.nodes.places import fabric


def test_rules() -> None:
    """The table replaces one that is there, remembers the switch, and lets in nothing but answers."""
    text = rules(fabric(), "0")
    assert text.startswith("table ip kubewire-dev {}\ndelete table ip kubewire-dev\n")
    assert "chain forwarding_was_0 {" in text
    assert 'oifname "kw-dev" ct state established,related accept\n    oifname "kw-dev" drop' in text
    assert 'oifname != "kw-dev" ip saddr { 10.243.0.0/24, 10.244.0.0/16 } masquerade' in text


def test_memory() -> None:
    """What the switch was is read from each cluster's table; other tables and chains say nothing."""
    chains = [
        ("kubewire-a", "forwarding_was_0"),
        ("kubewire-a", "leaving"),
        ("kubewire-b", "forwarding_was_1"),
        ("filter", "forwarding_was_1"),
    ]
    listing = [{"metainfo": {}}, *({"chain": {"table": table, "name": name}} for table, name in chains)]
    assert remembered_in(json.dumps({"nftables": listing})) == {"kubewire-a": "0", "kubewire-b": "1"}
    assert remembered_in("") == {}
