"""What a cluster's nodes leave on the machine when they are removed: nothing, whatever came in between."""

from typing import cast

import pytest

from tests.machine import Snapshot, alone, differences


@pytest.mark.parametrize("how", ["orderly", "forgotten", "half"])
def test_nothing_is_left(how: str) -> None:
    """After removal the machine is as before: mounts, namespaces, processes, links, rules, cgroups, files."""
    told = alone("tests.integration.cluster.whole_life", how)
    before, during, after = (cast("Snapshot", told[name]) for name in ("before", "during", "after"))
    assert differences(before, after) == []
    assert told["leftovers"] == []
    unused = {kind for kind in before if not differences({kind: before[kind]}, {kind: during[kind]})}
    assert unused == set()


def test_leftovers_are_named() -> None:
    """While a cluster's nodes run, `leftovers` names a thing of every kind."""
    told = alone("tests.integration.cluster.whole_life", "orderly")
    kinds = {line.split()[0] for line in cast("list[str]", told["leftovers_during"])}
    assert kinds == {"process", "mount", "namespace", "cgroup", "interface", "nftables", "file"}
    assert told["home"] == ["logs", "nodes"], "what a cluster starts again from stays"
