"""What a namespace's deletion has come to, and what it waits for."""

from collections import Counter

from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.controller_manager.namespace.plan import Remains, conditions, contents, is_to_empty
from kubewire.machinery.resources import builtin

NOW = 1_000_000.0


def namespace(*finalizers: str, going: bool = True) -> Namespace:
    """A namespace that is being deleted."""
    made = Namespace()
    made.metadata.name = "shop"
    made.spec.finalizers.extend(finalizers)
    if going:
        made.metadata.deletionTimestamp.seconds = int(NOW)
    return made


def test_which_are_emptied() -> None:
    """Those that are being deleted and still carry our finalizer."""
    assert is_to_empty(namespace("kubernetes"))
    assert not is_to_empty(namespace("kubernetes", going=False))
    assert not is_to_empty(namespace("another"))


def test_pods_go_first() -> None:
    """Pods are a step of their own; each other namespaced kind that can be deleted comes once, after them."""
    first, second = contents(builtin().served())
    assert [gvr.resource for gvr in first] == ["pods"]
    names = [str(gvr.group_resource) for gvr in second]
    assert {"secrets", "configmaps", "replicasets.apps", "leases.coordination.k8s.io"} <= set(names)
    assert "nodes" not in names
    assert len(names) == len(set(names))


def test_conditions_tell_what_is_left() -> None:
    """What remains, what holds it and what failed are told, and what is said again keeps its time."""
    going = namespace("kubernetes")
    remains = Remains(Counter({"pods": 2, "secrets": 1}), Counter({"example.com/hold": 2}), ["secrets: refused"])
    going.status.conditions.extend(conditions(going, remains, NOW))
    told = {one.type: (one.status, one.reason, one.message) for one in going.status.conditions}
    assert told == {
        "NamespaceDeletionContentFailure": ("True", "ContentDeletionFailed", "secrets: refused"),
        "NamespaceContentRemaining": ("True", "SomeResourcesRemain", "Still there: pods (2), secrets (1)"),
        "NamespaceFinalizersRemaining": ("True", "SomeFinalizersRemain", "Held by finalizers: example.com/hold (2)"),
    }
    assert conditions(going, remains, NOW + 60) == list(going.status.conditions)
    assert {one.status for one in conditions(going, Remains(), NOW + 60)} == {"False"}
    assert not remains.is_empty
    assert Remains().is_empty
