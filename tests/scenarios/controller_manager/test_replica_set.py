"""What a ReplicaSet does, told in tables: what there is, and what follows."""

import pytest

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.controller_manager.replica_set.plan import Observed, Plan, plan
from kubewire.controller_manager.replica_set.status import Failure, next_available_seconds, status_of
from tests.scenarios.controller_manager.pods import NOW, names, pods


def replica_set(replicas: int, *, going: bool = False, min_ready: int = 0) -> ReplicaSet:
    """A ReplicaSet `web` of pods with app=web."""
    made = ReplicaSet()
    made.metadata.name = made.metadata.uid = "web"
    made.metadata.generation = 7
    made.spec.replicas = replicas
    made.spec.minReadySeconds = min_ready
    made.spec.selector.matchLabels["app"] = "web"
    made.spec.template.metadata.labels["app"] = "web"
    if going:
        made.metadata.deletionTimestamp.seconds = 1
    return made


def told(made: Plan) -> str:
    """A plan in words."""
    parts = [
        f"adopt {names(made.adopt)}" if made.adopt else "",
        f"release {names(made.release)}" if made.release else "",
        f"create {made.create}" if made.create else "",
        f"delete {names(made.delete)}" if made.delete else "",
    ]
    return ", ".join(part for part in parts if part) or "nothing"


@pytest.mark.parametrize(
    ("why", "replicas", "there", "then"),
    [
        ("nothing there", 3, "", "create 3"),
        ("nothing wanted", 0, "", "nothing"),
        ("enough", 1, "name\na", "nothing"),
        ("ended ones do not count", 2, "name phase\na Failed\nb Succeeded\nc Running", "create 1"),
        ("those asked to go do not count", 1, "name going\na yes", "create 1"),
        ("a surplus goes", 1, "name phase\na Running\nb Pending", "delete b"),
        ("another's are left alone", 1, "name owner\na other", "create 1"),
        ("an orphan that fits is adopted", 2, "name owner\na -", "adopt a, create 1"),
        ("an orphan that goes is not", 1, "name owner going\na - yes", "create 1"),
        ("an orphan with other labels is not", 1, "name owner labels\na - app=db", "create 1"),
        ("a pod with other labels is released", 1, "name labels\na app=db", "release a, create 1"),
        ("one look makes at most 500", 1200, "", "create 500"),
    ],
)
def test_plan(why: str, replicas: int, there: str, then: str) -> None:
    """Active pods are brought to the number asked for, by what is theirs."""
    assert told(plan(Observed(replica_set(replicas), pods(there), NOW))) == then, why


def test_one_that_goes_does_nothing() -> None:
    """A ReplicaSet that is being deleted makes, deletes, adopts and releases nothing."""
    there = pods("name owner labels\na - app=web\nb web app=db\nc web app=web")
    assert told(plan(Observed(replica_set(5, going=True), there, NOW))) == "nothing"


def test_deletions_under_way_count() -> None:
    """A pod whose deletion was sent counts as gone before it says so: no second one is deleted in its place."""
    there = pods("name\na\nb\nc")
    assert told(plan(Observed(replica_set(2), there, NOW, deleting=frozenset("a")))) == "nothing"


@pytest.mark.parametrize(
    ("criterion", "there", "first"),
    [
        ("unassigned before assigned", "name node\na n1\nb -", "b"),
        ("pending before running", "name phase\na Running\nb Pending", "b"),
        ("unknown between the two", "name phase\na Running\nb Unknown", "b"),
        ("not ready before ready", "name ready\na yes\nb no", "b"),
        ("lower cost before higher", "name ready cost\na yes 10\nb yes -5", "b"),
        ("cost counts only among equally ready ones", "name ready cost\na no 10\nb yes -5", "a"),
        ("a cost that is no number counts as 0", "name ready cost\na yes 1\nb yes much", "b"),
        ("doubled up before alone", "name node ready\na n1 yes\nb n2 yes\nc n2 yes", "b"),
        ("ready for a shorter time first", "name ready\na 10000\nb 10", "b"),
        ("more restarts first", "name restarts\na 1\nb 4", "b"),
        ("younger first", "name age\na 10000\nb 10", "b"),
        ("ages of one power of two are equal, the uid decides", "name age\na 1000\nb 900", "a"),
        ("assignment weighs more than all the rest", "name node ready restarts\na n1 no 9\nb - yes 0", "b"),
    ],
)
def test_who_goes_first(criterion: str, there: str, first: str) -> None:
    """The pod whose loss costs least goes first, criterion by criterion."""
    found = pods(there)
    assert told(plan(Observed(replica_set(len(found) - 1), found, NOW))) == f"delete {first}", criterion


def test_neighbours_are_those_of_all_siblings() -> None:
    """A pod beside one of another ReplicaSet of the same owner counts as doubled up."""
    own = pods("name node ready\na n1 yes\nb n2 yes")
    siblings = [*own, *pods("name node ready owner\nx n2 yes other")]
    assert told(plan(Observed(replica_set(1), own, NOW, related=siblings))) == "delete b"


def test_status() -> None:
    """The status counts pods that exist, carry the template's labels, are ready, available long enough, and go."""
    there = pods(
        """
        name  phase    ready  labels             going
        a     Running  100    app=web            -
        b     Running  5      app=web,tier=x     -
        c     Pending  -      app=db             -
        d     Running  yes    app=web            yes
        e     Failed   -      app=web            -
        """
    )
    made = replica_set(4, min_ready=30)
    status = status_of(made, there, None, NOW)
    assert (status.replicas, status.fullyLabeledReplicas) == (3, 2)
    assert (status.readyReplicas, status.availableReplicas, status.terminatingReplicas) == (2, 1, 1)
    assert status.observedGeneration == 7
    assert next_available_seconds(made, there, NOW) == 25


def test_a_failure_stands_in_a_condition_until_it_works() -> None:
    """What failed is told with the time it began, which a repetition does not change; success removes it."""
    made, failure = replica_set(1), Failure("FailedCreate", "quota")
    made.status.CopyFrom(status_of(made, [], failure, NOW))
    [condition] = made.status.conditions
    assert (condition.type, condition.status, condition.reason) == ("ReplicaFailure", "True", "FailedCreate")
    assert status_of(made, [], failure, NOW + 60).conditions == made.status.conditions
    assert not status_of(made, [], None, NOW + 60).conditions
