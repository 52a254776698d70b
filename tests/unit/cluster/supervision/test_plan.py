"""When processes are started again, in seconds of a made-up clock."""

from __future__ import annotations

from kubewire.cluster.processes import ProcessId
from kubewire.cluster.supervision import plan
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.supervision.plan import Watched

ETCD = Component("etcd", ("etcd",))
KUBELET = Component("node-1/kubelet", ("kubelet",))
PROCESS = ProcessId(10, 100)


def test_what_never_ran_is_due_at_once_and_in_order() -> None:
    """A start begins everything, in the order that is written down."""
    assert plan.due([ETCD, KUBELET], {}, 0.0) == [ETCD, KUBELET]
    assert plan.pause([ETCD], {}, 5.0) == 0.0


def test_what_runs_is_left_alone() -> None:
    """There is nothing to do, and nothing to wait for but ends."""
    watched = {"etcd": plan.started(None, PROCESS, 0.0)}
    assert plan.due([ETCD], watched, 9.0) == []
    assert plan.pause([ETCD], watched, 9.0) is None


def test_what_was_stopped_stays_stopped() -> None:
    """A component that somebody stopped on purpose is not due, however long it is gone."""
    stopped = Component("etcd", ("etcd",), is_stopped=True)
    assert plan.due([stopped], {"etcd": Watched(not_before=1.0)}, 1e6) == []
    assert plan.pause([stopped], {}, 0.0) is None


def test_pauses_double_while_it_does_not_stay_up() -> None:
    """0.1, 0.2, 0.4 ... seconds, and never more than five."""
    watched, now, pauses = plan.started(None, PROCESS, 0.0), 0.0, []
    for _ in range(9):
        watched = plan.ended(watched, 1, now)
        pauses.append(watched.not_before - now)
        now = watched.not_before
        assert plan.due([ETCD], {"etcd": watched}, now) == [ETCD]
        watched = plan.started(watched, PROCESS, now)
    assert [round(pause, 3) for pause in pauses[:4]] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == plan.LONGEST_PAUSE_SECONDS
    assert watched.restarts == 9


def test_who_stayed_up_begins_with_the_first_pause() -> None:
    """A process that ran for half a minute has started well: its end is an accident, not a habit."""
    watched = Watched(PROCESS, began=100.0, quick_ends=6)
    ended = plan.ended(watched, -9, 100.0 + plan.HEALTHY_SECONDS)
    assert ended.not_before == 100.0 + plan.HEALTHY_SECONDS + plan.FIRST_PAUSE_SECONDS
    assert (ended.process, ended.exit_code) == (None, -9)


def test_the_next_start_is_the_earliest() -> None:
    """The supervisor sleeps until the first of several starts is due."""
    watched = {"etcd": Watched(not_before=7.0), "node-1/kubelet": Watched(not_before=4.0)}
    assert plan.pause([ETCD, KUBELET], watched, 1.0) == 3.0
    assert plan.due([ETCD, KUBELET], watched, 4.0) == [KUBELET]


def test_names_say_where_a_component_belongs() -> None:
    """A role, and a node for what belongs to one."""
    assert [(one.role, one.node) for one in (ETCD, KUBELET)] == [("etcd", ""), ("kubelet", "node-1")]
