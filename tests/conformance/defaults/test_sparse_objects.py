"""Ordinary objects become, field by field, what a stock server makes of them.

Defaults, admission and the kinds' strategies are applied to what was posted. What then still differs from the stock
server's answer has to be what other parts of a cluster wrote: allocators, tokens, controllers.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.apiserver.admission.table import Admission
from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.defaults.table import apply_defaults
from kubewire.apiserver.strategy.contracts import WriteContext
from kubewire.apiserver.strategy.metadata import metadata_of, snapshot
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.codec.stored_form import restore
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import builtin

DATA = Path(__file__).parents[2] / "data" / "sparse"
CASES = sorted(path.name.removesuffix(".request.json") for path in DATA.glob("*.request.json"))

# Written after the object was created, by another part of the cluster: paths that start with one of these.
OTHERS: Mapping[str, tuple[str, ...]] = {
    "daemonset": ("status",),
    "deployment": ("status", "metadata.annotations"),
    "job": ("status",),
    "node": ("metadata.annotations", "spec.podCIDR", "spec.podCIDRs"),
    "pdb": ("status",),
    "pod-minimal": ("spec.volumes", "spec.containers[0].volumeMounts", "status.conditions"),
    "pod-probes": ("spec.volumes", "spec.containers[0].volumeMounts", "status.conditions"),
    "pod-volumes": ("spec.volumes[5]", "spec.containers[0].volumeMounts[2]", "status.conditions"),
    "pv": ("status.phase",),
    "rc": ("status",),
    "replicaset": ("status",),
    "resourcequota": ("status",),
    "service-clusterip": ("spec.clusterIP", "spec.clusterIPs", "spec.ipFamilies", "spec.ipFamilyPolicy"),
    "service-headless": ("spec.ipFamilies", "spec.ipFamilyPolicy"),
}
# The registry's, the same for every kind.
ALWAYS = ("metadata.resourceVersion", "metadata.managedFields")


def leaves(value: JsonValue, path: str = "") -> Iterator[tuple[str, JsonValue]]:
    """Every value that holds no others, with its path."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            yield from leaves(item, f"{path}[{position}]")
    else:
        yield path, value


def without_others(obj: JsonObject, case: str) -> dict[str, JsonValue]:
    """The leaves of an object that are the server's own business."""
    others = (*ALWAYS, *OTHERS.get(case, ()))
    return {path: value for path, value in leaves(obj) if not path.startswith(others)}


@pytest.mark.parametrize("case", CASES)
def test_created_as_a_stock_server_does(case: str) -> None:
    """What was posted becomes what a stock server answered, but for what others wrote."""
    posted: JsonObject = json.loads((DATA / f"{case}.request.json").read_bytes())
    answered: JsonObject = json.loads((DATA / f"{case}.json").read_bytes())
    group, _, version = str(posted["apiVersion"]).rpartition("/")
    resource = builtin().by_kind(group, version, str(posted["kind"]))
    assert resource is not None
    obj = decode(posted, message_class(resource.message))
    expected = decode(answered, message_class(resource.message))

    apply_defaults(resource, obj)
    meta, stored = metadata_of(obj), metadata_of(expected)
    meta.uid = stored.uid
    meta.creationTimestamp.CopyFrom(stored.creationTimestamp)
    Admission().mutate(obj, Request(resource, Operation.CREATE, meta.namespace, meta.name))
    now_seconds = stored.creationTimestamp.seconds
    strategy_for(resource).prepare_create(obj, WriteContext(now_seconds=now_seconds, identity=Identity("author")))

    assert strategy_for(resource).validate_create(obj) == []
    assert without_others(to_dict(obj, resource.gvk), case) == without_others(answered, case)
    as_stored = snapshot(obj)
    restore(as_stored)
    assert as_stored == obj, "what the server fills in is in stored form"


@pytest.mark.parametrize("case", CASES)
def test_defaults_add_nothing_to_a_stored_object(case: str) -> None:
    """An object that a stock server has stored is complete: defaults change nothing in it."""
    answered: JsonObject = json.loads((DATA / f"{case}.json").read_bytes())
    group, _, version = str(answered["apiVersion"]).rpartition("/")
    resource = builtin().by_kind(group, version, str(answered["kind"]))
    assert resource is not None
    obj = decode(answered, message_class(resource.message))
    before = snapshot(obj)
    apply_defaults(resource, obj)
    assert obj == before
