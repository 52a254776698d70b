"""Decisions on random clusters: never too much on a node, and always what plain loops over lists decide."""

from collections import Counter
from dataclasses import dataclass
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kubewire.scheduler.decision.evaluation import NOWHERE
from kubewire.scheduler.decision.scheduling import Decision, Scheduling, schedule
from kubewire.scheduler.pods.pod import PodInfo
from kubewire.scheduler.snapshot.snapshot import Snapshot
from kubewire.scheduler.table import PLUGINS
from tests.scheduler_tables import node, pod
from tests.unit.scheduler.decision.scalar import Place, refusals, scores

SIZES = ("cpu=1", "cpu=8", "memory=1Gi", "memory=0", "pods=2", "gpu=1")
PLACES = ("zone=a", "zone=b", "zone=c", "rack=1", "rack=2", "kubernetes.io/hostname=h1", "kubernetes.io/hostname=h2")
TROUBLES = (
    "taint=t1=:NoSchedule", "taint=t2=x:NoExecute", "taint=t3=:PreferNoSchedule", "taint=t4=:PreferNoSchedule",
    "cordoned", "image=web:1@700Mi", "image=db:1@90Mi",
)  # fmt: skip
AMOUNTS = ("cpu=100m", "cpu=1", "memory=300Mi", "gpu=1", "port=80", "port=81", "image=web:1", "image=db:1")
NODES = (
    "tolerate=t1",
    "tolerate=t2",
    "tolerate=t3",
    "select=zone:a",
    "avoid=zone:a,b",
    "prefer=zone:b",
    "prefer=rack:1",
)
SPREADS = (
    "spread=zone:1", "spread=rack:2", "spread~=zone:1", "spread~=rack:1", "spread~=kubernetes.io/hostname:2",
    "select=zone:a",
)  # fmt: skip
NEIGHBOURS = (
    "near=app:x@zone", "near=app:y@host", "far=app:x@host", "far=app:y@zone", "near~=app:x@zone", "far~=app:y@rack",
)  # fmt: skip
THEMES = (
    ((*SIZES, *PLACES, *TROUBLES), (*AMOUNTS, *NODES, *SPREADS, *NEIGHBOURS)),
    ((*SIZES, *TROUBLES), (*AMOUNTS, *NODES)),
    (PLACES, SPREADS),
    (PLACES, NEIGHBOURS),
)
"""What nodes are marked with, and what pods wish: all at once, and one thing at a time, which goes deeper."""


def described(marks: tuple[str, ...], most: int) -> st.SearchStrategy[str]:
    """A line of up to so many words."""
    return st.lists(st.sampled_from(marks), max_size=most, unique_by=lambda word: word.partition("=")[0]).map(" ".join)


@dataclass
class Cluster:
    """Nodes and pods, in columns and as plain lists."""

    snapshot: Snapshot
    places: list[Place]

    def run(self, one: PodInfo, name: str) -> None:
        """Put a pod on a node."""
        self.snapshot.place(one, name)
        next(place for place in self.places if place.node.name == name).pods.append(one)


def cluster(nodes: list[str]) -> Cluster:
    """Nodes without pods."""
    infos = [node(f"n{number} {line}") for number, line in enumerate(nodes)]
    snapshot = Snapshot()
    for info in infos:
        snapshot.set_node(info)
    return Cluster(snapshot, [Place(info) for info in infos])


def labelled(wishes: tuple[str, ...]) -> st.SearchStrategy[str]:
    """A pod with a label and up to three wishes."""
    return st.tuples(st.sampled_from(("app=x", "app=y", "app=z")), described(wishes, 3)).map(" ".join)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_columns_agree_with_loops(data: st.DataObject) -> None:
    """Of any pods in any cluster, who may go where, why not, and every score are what plain loops say."""
    marks, wishes = data.draw(st.sampled_from(THEMES))
    nodes = data.draw(st.lists(described(marks, 5), min_size=1, max_size=6))
    running = data.draw(st.lists(st.tuples(labelled(wishes), st.integers(0, 7)), max_size=6))
    both = cluster(nodes)
    for number, (line, where) in enumerate(running):
        both.run(pod(f"r{number} {line}"), f"n{where % len(nodes)}")
    scheduling = Scheduling(both.snapshot, PLUGINS, Random(0))
    for number, line in enumerate(data.draw(st.lists(labelled(wishes), min_size=1, max_size=5))):
        one = pod(f"w{number} {line}")
        decision = agree(both, scheduling, one)
        if decision.node_name:
            both.run(one, decision.node_name)


def agree(both: Cluster, scheduling: Scheduling, one: PodInfo) -> Decision:
    """What is decided about a pod, which is what loops decide."""
    expected = scores(both.places, one)
    ranks = scheduling.evaluation(one).ranks()
    assert {both.snapshot.name(row): int(ranks[row]) for row in map(int, np.flatnonzero(ranks != NOWHERE))} == expected
    decision = scheduling.schedule(one)
    if decision.diagnosis is None:
        assert expected[decision.node_name] == max(expected.values()) == decision.score
    else:
        reasons = Counter(reason for place in both.places for reason in refusals(both.places, place, one))
        assert dict(decision.diagnosis.reasons) == reasons
    return decision


@settings(max_examples=60, deadline=None)
@given(
    nodes=st.lists(described((*SIZES, *PLACES), 4), min_size=1, max_size=5),
    pods=st.lists(labelled(THEMES[0][1]), min_size=1, max_size=60),
    leaving=st.sets(st.integers(0, 59)),
)
def test_never_too_much_on_a_node(nodes: list[str], pods: list[str], leaving: set[int]) -> None:
    """Whatever comes and goes, pods on a node never ask for more than it has, and are never more than it takes."""
    both = cluster(nodes)
    scheduling = Scheduling(both.snapshot, PLUGINS, Random(0))
    for number, line in enumerate(pods):
        one = pod(f"p{number} {line}")
        decision = scheduling.schedule(one)
        if decision.node_name:
            both.run(one, decision.node_name)
        if number in leaving and both.snapshot.remove(one.key):
            for place in both.places:
                place.pods = [other for other in place.pods if other.key != one.key]
    for place in both.places:
        assert len(place.pods) <= place.has("pods")
        for resource in ("cpu", "memory", "gpu"):
            assert place.asked(resource) <= place.has(resource)


def test_chance_decides_among_equals() -> None:
    """Equally good nodes are all taken, in an order that the seed decides."""
    both = cluster([""] * 4)
    one = pod("p")

    def taken(seed: int) -> list[str]:
        random = Random(seed)
        return [schedule(both.snapshot, one, PLUGINS, random).node_name for _ in range(40)]

    assert set(taken(1)) == {"n0", "n1", "n2", "n3"}
    assert taken(1) == taken(1)
    assert taken(1) != taken(2)


def test_evaluation_follows_the_cluster() -> None:
    """A remembered evaluation takes in pods that come and go, nodes that change, and the first wish about others."""
    both = cluster(["cpu=2", "cpu=1"])
    scheduling = Scheduling(both.snapshot, PLUGINS, Random(0))
    one = pod("p app=x cpu=1")
    assert scheduling.schedule(one).node_name == "n0"
    both.snapshot.place(pod("q cpu=2"), "n0")
    assert scheduling.schedule(one).node_name == "n1"
    both.snapshot.place(pod("r far=app:x@host"), "n1")
    assert scheduling.schedule(one).node_name == ""
    both.snapshot.set_node(node("n0 cpu=4"))
    assert scheduling.schedule(one).node_name == "n0"
    both.snapshot.remove_node("n0")
    both.snapshot.remove(pod("r").key)
    assert scheduling.schedule(one).node_name == "n1"
