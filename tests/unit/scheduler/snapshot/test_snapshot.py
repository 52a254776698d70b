"""The snapshot: rows of nodes, pods that come and go, and that columns always say what a fresh snapshot would."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kubewire.scheduler.pods.terms import PodSelector
from kubewire.scheduler.snapshot.counts import Question
from kubewire.scheduler.snapshot.snapshot import Snapshot
from tests.scheduler_tables import node, pod


def asked(snapshot: Snapshot, name: str) -> tuple[int, int]:
    """CPU and number of pods on a node."""
    row = snapshot.rows[name]
    return int(snapshot.amounts.requested[0, row]), int(snapshot.amounts.requested[3, row])


def test_assumed_then_confirmed() -> None:
    """An assumed pod counts at once, and once: the API server's word of it changes nothing but that it is known."""
    snapshot = Snapshot()
    snapshot.set_node(node("n1"))
    one = pod("a cpu=1")
    assert snapshot.place(one, "n1", is_assumed=True)
    assert not snapshot.place(one, "n1")
    assert asked(snapshot, "n1") == (1000, 1)
    assert not snapshot.placements[one.key].is_assumed


def test_a_pod_on_another_node_than_assumed_moves() -> None:
    """What the API server says wins over what was assumed."""
    snapshot = Snapshot()
    for name in ("n1", "n2"):
        snapshot.set_node(node(name))
    one = pod("a cpu=1")
    snapshot.place(one, "n1", is_assumed=True)
    snapshot.place(one, "n2")
    assert (asked(snapshot, "n1"), asked(snapshot, "n2")) == ((0, 0), (1000, 1))


def test_pods_before_their_node() -> None:
    """A pod whose node is not known yet counts when it comes, and still does when the node went and came back."""
    snapshot = Snapshot()
    snapshot.place(pod("a cpu=1"), "n1")
    snapshot.set_node(node("n1"))
    assert asked(snapshot, "n1") == (1000, 1)
    snapshot.remove_node("n1")
    snapshot.set_node(node("n1"))
    assert asked(snapshot, "n1") == (1000, 1)


def test_a_node_that_says_the_same_changes_nothing() -> None:
    """A heartbeat leaves remembered results as they are; a label does not."""
    snapshot = Snapshot()
    snapshot.set_node(node("n1"))
    generation = snapshot.node_generation
    snapshot.set_node(node("n1"))
    assert snapshot.node_generation == generation
    snapshot.set_node(node("n1 zone=a"))
    assert snapshot.node_generation > generation


def test_rows_are_used_again_and_grow() -> None:
    """Rows of nodes that are gone are used again, clean; more nodes than rows make more rows."""
    snapshot = Snapshot()
    for number in range(40):
        snapshot.set_node(node(f"n{number} zone=a taint=t=:NoSchedule cordoned"))
    assert snapshot.node_count == 40
    snapshot.place(pod("a cpu=1 port=80"), "n7")
    row = snapshot.rows["n7"]
    snapshot.remove_node("n7")
    snapshot.set_node(node("other"))
    assert snapshot.rows["other"] == row
    assert asked(snapshot, "other") == (0, 0)
    assert not snapshot.unschedulable[row]
    assert not snapshot.taints.counts(len)[row]
    assert not snapshot.ports.taken(pod("b port=80").shape.ports, snapshot.capacity).any()


WORDS = ("app=x cpu=1", "app=y cpu=2 far=app:x@zone", "app=x port=80", "app=y near~=app:x@zone", "app=x gpu=1")
STEPS = st.lists(
    st.tuples(st.sampled_from(("place", "remove", "node", "gone")), st.integers(0, 30), st.integers(0, 4)), max_size=50
)


@settings(max_examples=100, deadline=None)
@given(steps=STEPS)
def test_columns_are_what_a_fresh_snapshot_says(steps: list[tuple[str, int, int]]) -> None:
    """However a state came about, columns, counts and standing terms are those of the state."""
    snapshot = Snapshot()
    nodes: dict[str, str] = {}
    pods: dict[str, tuple[str, str]] = {}
    question = Question((PodSelector(frozenset(("default",)), pod("p app=x spread=zone:1").shape.spreads[0].selector),))
    for step, number, other in steps:
        match step:
            case "place":
                pods[f"p{number}"] = (WORDS[other], f"n{number % 7}")
                snapshot.place(pod(f"p{number} {WORDS[other]}"), f"n{number % 7}")
            case "remove":
                pods.pop(f"p{number}", None)
                snapshot.remove(pod(f"p{number}").key)
            case "node":
                nodes[f"n{number % 7}"] = f"zone={other}"
                snapshot.set_node(node(f"n{number % 7} zone={other}"))
            case "gone":
                nodes.pop(f"n{number % 7}", None)
                snapshot.remove_node(f"n{number % 7}")
        snapshot.counts.count(question)
    fresh = Snapshot()
    for name, line in nodes.items():
        fresh.set_node(node(f"{name} {line}"))
    for name, (line, where) in pods.items():
        fresh.place(pod(f"{name} {line}"), where)
    assert told(snapshot, question) == told(fresh, question)


def told(snapshot: Snapshot, question: Question) -> object:
    """All that is counted, by node."""
    amounts, counts = snapshot.amounts, snapshot.counts.count(question)
    standing = {
        term: {name: int(by_row[row]) for name, row in snapshot.rows.items() if by_row[row]}
        for term, by_row in snapshot.counts.standing.items()
    }
    by_node = {
        name: (
            {
                resource: int(amounts.requested[line, row])
                for resource, line in amounts.lines.items()
                if resource != "gpu"
            },
            amounts.counted[:, row].tolist(),
            int(counts[row]),
            snapshot.taints.sets[snapshot.taints.ids[row]],
        )
        for name, row in snapshot.rows.items()
    }
    assert np.count_nonzero(snapshot.valid) == snapshot.node_count == len(by_node)
    return by_node, standing
