"""What a delete does to one object: remove it, mark it, or leave it as it is."""

from __future__ import annotations

from typing import Any, cast

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.options import DeleteOptions, Preconditions
from kubewire.apiserver.registry.deletion import Deletion, Step, ends_on_update, failed_precondition
from kubewire.apiserver.strategy.contracts import Strategy
from kubewire.machinery.gvk import GroupResource

NOW = 1000


class Graceful:
    """A kind whose objects get `seconds` to end, unless the request says otherwise."""

    def __init__(self, seconds: int = 0, *, orphans: bool = False) -> None:
        self.seconds = seconds
        self.orphans_dependents_by_default = orphans

    def graceful_deletion(self, obj: object, options: DeleteOptions) -> int:
        return self.seconds if options.grace_period_seconds is None else options.grace_period_seconds

    def is_held(self, obj: Any) -> bool:  # noqa: ANN401 - any kind
        return bool(obj.metadata.finalizers)

    def mark_terminating(self, obj: object) -> None:
        pass


def deletion(seconds: int = 0, *, orphans: bool = False) -> Deletion:
    """How objects with this default grace period are deleted."""
    return Deletion(cast("Strategy", Graceful(seconds, orphans=orphans)))


def pod(*finalizers: str, deleted_at: int | None = None, grace: int | None = None) -> Pod:
    """A pod in its first generation."""
    made = Pod()
    made.metadata.name = "p"
    made.metadata.generation = 1
    made.metadata.finalizers.extend(finalizers)
    if deleted_at is not None:
        made.metadata.deletionTimestamp.seconds = deleted_at
    if grace is not None:
        made.metadata.deletionGracePeriodSeconds = grace
    return made


def test_an_object_that_nothing_holds_is_removed() -> None:
    """Without grace and finalizers it goes at once."""
    assert deletion().plan(pod(), DeleteOptions(), NOW) is Step.REMOVE
    assert deletion(30).plan(pod(), DeleteOptions(grace_period_seconds=0), NOW) is Step.REMOVE


def test_grace_sets_the_deadline_and_a_new_generation() -> None:
    """A pod that has time is marked with the time at which it ends."""
    it = pod()
    assert deletion(30).plan(it, DeleteOptions(), NOW) is Step.MARK
    assert it == _with_generation(pod(deleted_at=NOW + 30, grace=30), 2)


def test_a_negative_grace_is_one_second() -> None:
    """As the shortest period that still is one."""
    it = pod()
    assert deletion(30).plan(it, DeleteOptions(grace_period_seconds=-5), NOW) is Step.MARK
    assert it.metadata.deletionGracePeriodSeconds == 1


@pytest.mark.parametrize("asked", [None, 30, 60])
def test_a_running_grace_is_not_extended(asked: int | None) -> None:
    """Asking again, for as long or longer, changes nothing."""
    it = pod(deleted_at=NOW + 30, grace=30)
    assert deletion(30).plan(it, DeleteOptions(grace_period_seconds=asked), NOW) is Step.KEEP
    assert it == pod(deleted_at=NOW + 30, grace=30)


def test_a_running_grace_can_be_shortened() -> None:
    """The deadline counts from the first request; zero ends the object."""
    it = pod(deleted_at=NOW + 30, grace=30)
    assert deletion(30).plan(it, DeleteOptions(grace_period_seconds=5), NOW + 1) is Step.MARK
    assert it == pod(deleted_at=NOW + 5, grace=5)
    assert deletion(30).plan(it, DeleteOptions(grace_period_seconds=0), NOW + 1) is Step.REMOVE


def test_finalizers_hold_an_object() -> None:
    """It is marked as deleted now, once; the second request finds nothing to do."""
    it = pod("example.com/x")
    assert deletion().plan(it, DeleteOptions(), NOW) is Step.MARK
    assert it == _with_generation(pod("example.com/x", deleted_at=NOW, grace=0), 2)
    assert deletion().plan(it, DeleteOptions(), NOW + 5) is Step.KEEP


def test_ending_the_grace_of_a_held_object_brings_its_deadline_forward() -> None:
    """With finalizers left it stays, but its time is over."""
    it = pod("example.com/x", deleted_at=NOW + 30, grace=30)
    assert deletion(30).plan(it, DeleteOptions(grace_period_seconds=0), NOW + 5) is Step.MARK
    assert it == pod("example.com/x", deleted_at=NOW, grace=0)


@pytest.mark.parametrize(
    ("options", "before", "orphans", "after"),
    [
        (DeleteOptions(propagation_policy="Foreground"), [], False, ["foregroundDeletion"]),
        (DeleteOptions(propagation_policy="Orphan"), ["x/y"], False, ["x/y", "orphan"]),
        (DeleteOptions(propagation_policy="Orphan"), ["foregroundDeletion"], False, ["orphan"]),
        (DeleteOptions(orphan_dependents=True), [], False, ["orphan"]),
        (DeleteOptions(), ["foregroundDeletion"], True, ["foregroundDeletion"]),
        (DeleteOptions(), [], True, ["orphan"]),
    ],
)
def test_the_policy_becomes_a_finalizer(
    options: DeleteOptions, before: list[str], after: list[str], *, orphans: bool
) -> None:
    """Options come first, then a finalizer already there, then the kind's default."""
    it = pod(*before)
    assert deletion(orphans=orphans).plan(it, options, NOW) is Step.MARK
    assert list(it.metadata.finalizers) == after


@pytest.mark.parametrize(
    "options", [DeleteOptions(propagation_policy="Background"), DeleteOptions(orphan_dependents=False)]
)
def test_background_deletion_takes_the_finalizers_off(options: DeleteOptions) -> None:
    """Whatever was wanted before, the object goes at once."""
    assert deletion(orphans=True).plan(pod("orphan"), options, NOW) is Step.REMOVE


def test_events_are_never_held_for_the_collector() -> None:
    """A kind outside garbage collection gets no finalizer."""
    plain = Deletion(cast("Strategy", Graceful()), collects_garbage=False)
    assert plain.plan(pod(), DeleteOptions(propagation_policy="Foreground"), NOW) is Step.REMOVE


def test_preconditions_name_both_sides() -> None:
    """A delete meant for another object is a conflict that says which."""
    it = pod()
    it.metadata.uid = "a"
    pods = GroupResource("", "pods")

    def check(conditions: Preconditions) -> str | None:
        error = failed_precondition(pods, "p", it.metadata, "7", DeleteOptions(preconditions=conditions))
        return None if error is None else str(error)

    assert check(Preconditions(uid="a", resource_version="7")) is None
    assert check(Preconditions(uid="b")) == (
        'Operation cannot be fulfilled on pods "p": the UID in the precondition (b) does not match the UID in record '
        "(a). The object might have been deleted and then recreated"
    )
    assert check(Preconditions(resource_version="6")) == (
        'Operation cannot be fulfilled on pods "p": the ResourceVersion in the precondition (6) does not match the '
        "ResourceVersion in record (7). The object might have been modified"
    )


@pytest.mark.parametrize(
    ("new", "old", "ends"),
    [
        (pod(deleted_at=NOW, grace=0), pod("x/y", deleted_at=NOW, grace=0), True),
        (pod(deleted_at=NOW), pod("x/y", deleted_at=NOW), True),
        (pod("x/z", deleted_at=NOW, grace=0), pod("x/y", "x/z", deleted_at=NOW, grace=0), False),
        (pod(), pod("x/y"), False),
        (pod(deleted_at=NOW + 9, grace=30), pod("x/y", deleted_at=NOW + 9, grace=30), False),
    ],
)
def test_taking_off_the_last_finalizer_ends_a_deleted_object(new: Pod, old: Pod, *, ends: bool) -> None:
    """Only when its deletion has been asked for and its time is over."""
    assert ends_on_update(new, old, cast("Strategy", Graceful())) is ends


def _with_generation(it: Pod, generation: int) -> Pod:
    it.metadata.generation = generation
    return it
