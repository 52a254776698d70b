"""The queue: order, backoff, what has pods tried again, and that every pod waits in one place."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from kubewire.scheduler.queue.hints import Change
from kubewire.scheduler.queue.queue import Place, SchedulingQueue, Waiting
from tests.scheduler_tables import pod

FIT = frozenset(("NodeResourcesFit",))


def queue_of(*lines: str, now: float = 0.0) -> SchedulingQueue:
    """A queue with pods that came one after the other."""
    queue = SchedulingQueue()
    for number, line in enumerate(lines):
        queue.put(pod(line), now + number * 0.001)
    return queue


def popped(queue: SchedulingQueue, now: float) -> list[str]:
    """All that are to be tried now."""
    found = []
    while (waiting := queue.pop(now)) is not None:
        found.append(waiting.pod.key.name)
    return found


def taken(queue: SchedulingQueue, now: float) -> Waiting:
    """The next one."""
    waiting = queue.pop(now)
    assert waiting is not None
    return waiting


def test_priority_then_time() -> None:
    """The highest priority comes first, and of equals the one that has waited longest."""
    queue = queue_of("a", "b priority=5", "c priority=5", "d priority=-1")
    assert popped(queue, 1.0) == ["b", "c", "a", "d"]


def test_backoff_doubles_up_to_a_limit() -> None:
    """A pod that failed waits 1 s, then 2, 4, 8 and 10, and no longer."""
    queue = queue_of("a")
    now = 0.0
    for expected in (1.0, 2.0, 4.0, 8.0, 10.0, 10.0):
        queue.put_back_later(taken(queue, now), now)
        assert queue.counts[Place.BACKOFF] == 1
        assert queue.pop(now + expected - 0.01) is None
        assert queue.next_time() == now + expected
        now += expected


def test_unschedulable_waits_for_what_helps() -> None:
    """A pod that a plugin refused is tried again after a change that can help with that, and after no other."""
    queue = queue_of("a")
    queue.put_back(taken(queue, 0.0), 0.0, FIT, "Insufficient cpu")
    assert queue.changed(frozenset((Change.NODE_TAINT, Change.POD_ADD)), 5.0) == 0
    assert queue.pop(5.0) is None
    assert queue.changed(frozenset((Change.POD_DELETE,)), 5.0) == 1
    assert popped(queue, 5.0) == ["a"]


def test_help_does_not_cut_the_backoff_short() -> None:
    """A change that comes at once moves the pod to its backoff, not past it."""
    queue = queue_of("a")
    queue.put_back(taken(queue, 0.0), 0.0, FIT, "")
    queue.changed(frozenset((Change.NODE_ADD,)), 0.1)
    assert queue.counts[Place.BACKOFF] == 1
    assert popped(queue, 0.9) == []
    assert popped(queue, 1.0) == ["a"]


def test_no_nodes_waits_for_a_node() -> None:
    """A pod that no plugin refused, since there were no nodes, is tried again when one comes."""
    queue = queue_of("a")
    queue.put_back(taken(queue, 0.0), 0.0, frozenset(), "no nodes")
    assert queue.changed(frozenset((Change.POD_DELETE,)), 5.0) == 0
    assert queue.changed(frozenset((Change.NODE_ADD,)), 5.0) == 1


def test_long_unschedulable_is_tried_again() -> None:
    """After five minutes a pod is tried again whatever happened, and not before."""
    queue = queue_of("a")
    queue.put_back(taken(queue, 0.0), 0.0, FIT, "")
    assert queue.flush(299.0) == 0
    assert queue.flush(300.0) == 1
    assert popped(queue, 300.0) == ["a"]


def test_gated_pods_wait_for_their_gates() -> None:
    """A gated pod is not tried, whatever changes, until its gates are gone."""
    queue = queue_of("a gate=quota")
    assert queue.counts[Place.GATED] == 1
    queue.changed(frozenset(Change), 400.0)
    queue.flush(400.0)
    assert popped(queue, 400.0) == []
    queue.put(pod("a"), 401.0)
    assert popped(queue, 401.0) == ["a"]


def test_a_status_that_changes_tries_nothing_again() -> None:
    """A pod whose shape is the same stays where it waits; one that asks for less is tried again."""
    queue = queue_of("a cpu=2")
    queue.put_back(taken(queue, 0.0), 0.0, FIT, "")
    queue.put(pod("a cpu=2"), 5.0)
    assert queue.counts[Place.UNSCHEDULABLE] == 1
    queue.put(pod("a cpu=1"), 5.0)
    assert popped(queue, 5.0) == ["a"]


def test_another_pod_of_the_name_starts_anew() -> None:
    """A pod that was made anew under its name has no attempts and no backoff."""
    queue = queue_of("a")
    queue.put_back_later(taken(queue, 0.0), 0.0)
    queue.put(pod("a")._replace(uid="another"), 0.1)
    waiting = taken(queue, 0.1)
    assert (waiting.pod.uid, waiting.attempts) == ("another", 1)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("put", "gate", "pop", "fail", "refuse", "remove", "change", "flush")), st.integers(0, 5)
    ),
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_every_pod_waits_in_one_place(steps: list[tuple[str, int]]) -> None:
    """Whatever is done, counts tell the truth, and a pod that is in the queue comes out of it once."""
    queue, out, now = SchedulingQueue(), dict[str, Waiting](), 0.0
    for step, number in steps:
        now += 0.7
        name = f"p{number}"
        match step:
            case "put" | "gate" if name not in out:
                queue.put(pod(f"{name} cpu={number}" + (" gate=g" if step == "gate" else "")), now)
            case "pop":
                waiting = queue.pop(now)
                if waiting is not None:
                    assert waiting.pod.key.name not in out
                    out[waiting.pod.key.name] = waiting
            case "fail" if name in out:
                queue.put_back_later(out.pop(name), now)
            case "refuse" if name in out:
                queue.put_back(out.pop(name), now, FIT, "")
            case "remove":
                queue.remove(pod(name).key)
            case "change":
                queue.changed(frozenset((Change.POD_DELETE,)), now)
            case "flush":
                queue.flush(now)
        assert Counter(waiting.place for waiting in queue) == Counter(
            {place: count for place, count in queue.counts.items() if count}
        )
    queue.changed(frozenset(Change), now + 1000)
    waiting_now = {waiting.pod.key.name for waiting in queue if waiting.place is not Place.GATED}
    assert sorted(popped(queue, now + 1000)) == sorted(waiting_now)
