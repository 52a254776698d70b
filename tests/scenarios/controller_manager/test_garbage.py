"""Who goes with whom: objects and their owners in tables, and what the garbage collector does with each."""

import pytest

from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
from kubewire.controller_manager.garbage.graph import Found, Graph
from kubewire.controller_manager.garbage.plan import Action, Delete, Disown, Owner, plan
from kubewire.machinery.gvk import GroupVersionResource
from tests.scenarios.controller_manager.text_tables import rows

THINGS = GroupVersionResource("", "v1", "configmaps")
STATES = {"gone": Owner.GONE, "stays": Owner.STAYS, "waits": Owner.WAITS}


def found(name: str, owners: str = "", finalizers: str = "", *, going: bool = False) -> Found:
    """An object; an owner with `!` is blocked by it."""
    metadata = ObjectMeta(name=name, uid=name, finalizers=finalizers.split(",") if finalizers else [])
    if going:
        metadata.deletionTimestamp.seconds = 1
    for text in owners.split(",") if owners else ():
        uid = text.rstrip("!")
        metadata.ownerReferences.add(kind="ConfigMap", name=uid, uid=uid, blockOwnerDeletion=text.endswith("!"))
    return Found(THINGS, metadata)


def objects(text: str) -> dict[str, Found]:
    """The objects of a table: name, owners, finalizers, going (`yes`)."""
    return {
        row["name"]: found(row["name"], row["owners"], row["finalizers"], going=bool(row["going"]))
        for row in rows(text)
    }


def told(action: Action) -> str:
    """An action in words."""
    name = action.found.metadata.name
    if isinstance(action, Delete):
        return f"delete {name} {action.propagation.value}"
    if isinstance(action, Disown):
        return f"disown {name} of {' '.join(action.owners)}"
    return f"finish {name} {action.finalizer}"


@pytest.mark.parametrize(
    ("why", "owners", "then"),
    [
        ("the only owner is there", "a=stays", ""),
        ("the only owner is gone", "a=gone", "delete x Background"),
        ("one of two is gone", "a=gone b=stays", "disown x of a"),
        ("both are gone", "a=gone b=gone", "delete x Background"),
        ("the owner waits for it", "a=waits", "delete x Background"),
        ("one waits, another stays", "a=waits b=stays", "disown x of a"),
    ],
)
def test_what_becomes_of_a_dependent(why: str, owners: str, then: str) -> None:
    """It stays while an owner does, and goes when none is left."""
    states = {uid: STATES[state] for uid, state in (text.split("=") for text in owners.split())}
    made = plan(found("x", ",".join(states)), states, [])
    assert ", ".join(map(told, made)) == then, why


def test_going_in_the_foreground_goes_down() -> None:
    """A dependent with dependents of its own goes in the foreground as well."""
    assert [told(one) for one in plan(found("x", "a!"), {"a": Owner.WAITS}, [found("y", "x!")])] == [
        "delete x Foreground"
    ]


@pytest.mark.parametrize(
    ("finalizers", "propagation"), [("orphan", "Orphan"), ("foregroundDeletion", "Foreground"), ("other", "Background")]
)
def test_its_own_finalizer_says_how(finalizers: str, propagation: str) -> None:
    """What becomes of its dependents is what it carries as a wish."""
    [made] = plan(found("x", "a", finalizers), {"a": Owner.GONE}, [])
    assert told(made) == f"delete x {propagation}"


def test_orphaning() -> None:
    """Its dependents are let go first; then it may go."""
    going = found("a", "", "orphan", going=True)
    made = plan(going, {}, [found("x", "a"), found("y", "a,b")])
    assert [told(one) for one in made] == ["disown x of a", "disown y of a", "finish a orphan"]


def test_in_the_foreground_it_waits_for_those_that_block() -> None:
    """Dependents that do not block are not waited for."""
    going = found("a", "", "foregroundDeletion", going=True)
    assert plan(going, {}, [found("x", "a!")]) == []
    assert [told(one) for one in plan(going, {}, [found("x", "a")])] == ["finish a foregroundDeletion"]
    assert [told(one) for one in plan(going, {}, [])] == ["finish a foregroundDeletion"]


def test_what_goes_already_is_left_alone() -> None:
    """Whoever else holds it, and those without owners too."""
    assert plan(found("x", "a", "other", going=True), {}, []) == []
    assert plan(found("x"), {}, []) == []


def test_the_graph_tells_whom_to_look_at() -> None:
    """Changes that matter to somebody make them looked at, and no others do."""
    graph = Graph()
    there = objects(
        """
        name  owners  finalizers          going
        a     -       -                   -
        x     a!      -                   -
        y     a       -                   -
        """
    )
    assert [graph.put(one) for one in there.values()] == [[], ["x"], ["y"]]
    assert [one.metadata.name for one in graph.dependents("a")] == ["x", "y"]
    assert graph.put(there["x"]) == [], "nothing has changed"
    assert graph.put(found("y", "b")) == ["y", "a"], "it has changed hands"
    assert graph.put(found("a", "", "foregroundDeletion", going=True)) == ["a", "x"], "it waits for its dependents"
    assert graph.remove("x") == ["a"], "one of them is gone"
    assert graph.remove("a") == []
    assert graph.remove("a") == []
    assert len(graph) == 1
