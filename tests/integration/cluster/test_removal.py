"""What a cluster's nodes leave on the machine when they are removed: nothing, whatever came in between."""

from typing import cast

import pytest

from tests.machine import Snapshot, alone


@pytest.mark.parametrize("how", ["orderly", "forgotten", "half"])
def test_nothing_is_left(how: str) -> None:
    """After removal the machine is as before: mounts, namespaces, processes, links, rules, cgroups, files."""
    told = alone("tests.integration.cluster.whole_life", how)
    before, during, after = (cast("Snapshot", told[name]) for name in ("before", "during", "after"))
    assert after == before
    assert told["leftovers"] == []
    assert {kind for kind in before if during[kind] != before[kind]} == set(before), "every kind was in use"


def test_leftovers_are_named() -> None:
    """While a cluster's nodes run, `leftovers` names a thing of every kind."""
    told = alone("tests.integration.cluster.whole_life", "orderly")
    kinds = {line.split()[0] for line in cast("list[str]", told["leftovers_during"])}
    assert kinds == {"process", "mount", "namespace", "cgroup", "interface", "nftables", "file"}
    assert told["home"] == ["logs", "nodes"], "what a cluster starts again from stays"
