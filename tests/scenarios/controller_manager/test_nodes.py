"""Nodes that fall silent, their taints, who has to leave, and their ranges of addresses, told in tables."""

from ipaddress import IPv4Network

import pytest

from kubewire.api.core.v1.node_pb2 import Node, Taint
from kubewire.api.core.v1.scheduling_pb2 import Toleration
from kubewire.controller_manager.node_ipam.plan import Ranges, first_free, ranges_of
from kubewire.controller_manager.node_lifecycle.plan import Observed, conditions, is_lost, taints
from kubewire.controller_manager.taint_eviction.plan import evict_at
from tests.scenarios.controller_manager.text_tables import pairs

NOW = 1_000_000.0
GRACE = 40.0


def node(said: str = "", tainted: str = "", *, cordoned: bool = False) -> Node:
    """A node with conditions `Ready=True,...` and taints `key:effect,...`."""
    made = Node()
    made.metadata.name = "n1"
    made.metadata.creationTimestamp.seconds = 5
    made.spec.unschedulable = cordoned
    for type, status in pairs(said).items():
        made.status.conditions.add(type=type, status=status).lastTransitionTime.seconds = 7
    for text in tainted.split(",") if tainted else ():
        key, effect = text.split(":")
        made.spec.taints.add(key=key, effect=effect).timeAdded.seconds = 7
    return made


def told(observed: Observed) -> tuple[str, str]:
    """Conditions and taints in words, without the long prefix."""
    found = conditions(observed)
    marks = [f"{one.key.removeprefix('node.kubernetes.io/')}:{one.effect}" for one in taints(observed, found)]
    return ",".join(f"{one.type}={one.status}" for one in found), ",".join(marks)


LOST = "Ready=Unknown,MemoryPressure=Unknown,DiskPressure=Unknown,PIDPressure=Unknown"


@pytest.mark.parametrize(
    ("why", "said", "silent", "then", "marks"),
    [
        ("a node that is heard of is left alone", "Ready=True", 39, "Ready=True", ""),
        ("a silent one is unreachable", "Ready=True", 40, LOST, "unreachable:NoSchedule,unreachable:NoExecute"),
        ("one that never spoke too", "", 40, LOST, "unreachable:NoSchedule,unreachable:NoExecute"),
        ("one that never spoke has time", "", 1, "", ""),
        ("not ready", "Ready=False", 1, "Ready=False", "not-ready:NoSchedule,not-ready:NoExecute"),
        (
            "pressure keeps pods away and evicts none",
            "Ready=True,DiskPressure=True,PIDPressure=True",
            1,
            "Ready=True,DiskPressure=True,PIDPressure=True",
            "disk-pressure:NoSchedule,pid-pressure:NoSchedule",
        ),
    ],
)
def test_conditions_and_taints(why: str, said: str, silent: float, then: str, marks: str) -> None:
    """A silent node's conditions become Unknown, and its taints follow its conditions."""
    assert told(Observed(node(said), silent, GRACE, NOW)) == (then, marks), why


def test_a_node_that_is_back_is_free() -> None:
    """Our taints go when the conditions do; those of others stay, and so do their times."""
    there = node("Ready=True", "node.kubernetes.io/unreachable:NoExecute,mine:NoSchedule")
    assert told(Observed(there, 1, GRACE, NOW)) == ("Ready=True", "mine:NoSchedule")


def test_taints_that_stay_keep_their_time() -> None:
    """The time a taint was set is that of the first look, or tolerations would never end."""
    there = node("Ready=Unknown", "node.kubernetes.io/unreachable:NoExecute")
    observed = Observed(there, 100, GRACE, NOW)
    found = taints(observed, conditions(observed))
    assert [one.timeAdded.seconds for one in found if one.effect == "NoExecute"] == [7]
    [ready] = [one for one in conditions(observed) if one.type == "Ready"]
    assert ready.lastTransitionTime.seconds == 7
    assert is_lost(conditions(observed))


def test_when_all_are_silent_nobody_is_evicted() -> None:
    """If no node at all is heard of, the fault is more likely ours: pods are left where they are."""
    observed = Observed(node("Ready=True"), 60, GRACE, NOW, is_everyone_silent=True)
    assert told(observed) == (LOST, "unreachable:NoSchedule")


def test_a_cordoned_node_is_tainted() -> None:
    """`kubectl cordon` keeps new pods away by a taint as well."""
    assert told(Observed(node("Ready=True", cordoned=True), 1, GRACE, NOW))[1] == "unschedulable:NoSchedule"


def taint(key: str, effect: str = "NoExecute", since: float = NOW - 10) -> Taint:
    """A taint that was set ten seconds ago."""
    made = Taint(key=key, value="v", effect=effect)
    made.timeAdded.seconds = int(since)
    return made


FOR_A_MINUTE = Toleration(key="a", operator="Exists", effect="NoExecute", tolerationSeconds=60)


@pytest.mark.parametrize(
    ("why", "tolerated", "tainted", "seconds"),
    [
        ("no taint, no eviction", [], [], None),
        ("other effects evict nobody", [], [taint("a", "NoSchedule")], None),
        ("not tolerated: now", [], [taint("a")], 0),
        ("tolerated for ever", [Toleration(key="a", operator="Exists")], [taint("a")], None),
        ("everything tolerated", [Toleration(operator="Exists")], [taint("a"), taint("b")], None),
        ("tolerated for a time, from when it was set", [FOR_A_MINUTE], [taint("a")], 50),
        ("one of two not tolerated: now", [FOR_A_MINUTE], [taint("a"), taint("b")], 0),
        (
            "the shortest time counts",
            [FOR_A_MINUTE, Toleration(operator="Exists", tolerationSeconds=20)],
            [taint("a")],
            10,
        ),
        ("a value must be equal", [Toleration(key="a", value="w")], [taint("a")], 0),
        ("an equal value", [Toleration(key="a", value="v")], [taint("a")], None),
        ("zero seconds: at once", [Toleration(operator="Exists", tolerationSeconds=0)], [taint("a", since=NOW)], 0),
    ],
)
def test_who_has_to_leave(why: str, tolerated: list[Toleration], tainted: list[Taint], seconds: float | None) -> None:
    """A pod leaves when a taint it does not tolerate is set, or its patience with one ends."""
    at = evict_at(tolerated, tainted, NOW)
    assert (None if at is None else at - NOW) == seconds, why


def test_ranges_are_given_in_order_and_used_again() -> None:
    """The first free range is given; one that is returned is given again; when all are out there is none."""
    ranges = Ranges(IPv4Network("10.244.0.0/16"), 24)
    assert first_free(ranges, []) == "10.244.0.0/24"
    assert first_free(ranges, ["10.244.0.0/24", "10.244.2.0/24"]) == "10.244.1.0/24"
    assert first_free(ranges, [f"10.244.{number}.0/24" for number in range(256)]) is None
    assert first_free(Ranges(IPv4Network("10.0.0.0/24"), 24), []) == "10.0.0.0/24"


def test_foreign_ranges_are_kept_clear_of() -> None:
    """Ranges of another size, and outside of the cluster's, are never overlapped; IPv6 ones are no matter."""
    ranges = Ranges(IPv4Network("10.244.0.0/16"), 24)
    assert first_free(ranges, ["10.244.0.0/22", "192.168.0.0/24", "fd00::/64"]) == "10.244.4.0/24"


def test_what_a_node_has() -> None:
    """Either field tells it."""
    first, second = Node(), Node()
    first.spec.podCIDR = "10.244.1.0/24"
    second.spec.podCIDRs.extend(["10.244.1.0/24", "fd00::/64"])
    assert (ranges_of(first), ranges_of(second)) == (("10.244.1.0/24",), ("10.244.1.0/24", "fd00::/64"))
    assert ranges_of(Node()) == ()
