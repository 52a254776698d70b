"""The pods a ReplicaSet makes, and the patches that adopt and release others. Pure; randomness comes in."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.machinery.json_value import JsonObject

API_VERSION: Final = "apps/v1"
KIND: Final = "ReplicaSet"

_SUFFIX_LENGTH: Final = 5
_SUFFIX_CHARACTERS: Final = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and nothing that looks like one: no word comes about by chance."""

_BASE_AT_MOST: Final = 63 - _SUFFIX_LENGTH


def make_pods(replica_set: ReplicaSet, count: int, taken: Iterable[str], random: Random) -> list[Pod]:
    """`count` pods of the template, under names of our own choice that are not among those `taken`.

    The names are chosen here and not by the server, so that a creation whose answer was lost can be repeated: it
    makes the same pod, or finds it.
    """
    pattern = _pattern(replica_set)
    names = set(taken)
    made: list[Pod] = []
    while len(made) < count:
        name = pattern.metadata.generateName + "".join(random.choices(_SUFFIX_CHARACTERS, k=_SUFFIX_LENGTH))
        if name not in names:
            names.add(name)
            pod = Pod()
            pod.CopyFrom(pattern)
            pod.metadata.name = name
            made.append(pod)
    return made


def adoption(replica_set: ReplicaSet, pod: Pod) -> JsonObject:
    """A strategic merge patch that makes the ReplicaSet the pod's controller; for this very pod only."""
    owner = replica_set.metadata
    reference: JsonObject = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {"metadata": {"ownerReferences": [reference], "uid": pod.metadata.uid}}


def release(replica_set: ReplicaSet, pod: Pod) -> JsonObject:
    """A strategic merge patch that ends the control."""
    reference: JsonObject = {"$patch": "delete", "uid": replica_set.metadata.uid}
    return {"metadata": {"ownerReferences": [reference], "uid": pod.metadata.uid}}


def _pattern(replica_set: ReplicaSet) -> Pod:
    template, owner = replica_set.spec.template, replica_set.metadata
    pod = Pod(spec=template.spec)
    metadata = pod.metadata
    metadata.namespace = owner.namespace
    metadata.generateName = f"{owner.name[: _BASE_AT_MOST - 1]}-"
    metadata.labels.update(template.metadata.labels)
    metadata.annotations.update(template.metadata.annotations)
    metadata.finalizers.extend(template.metadata.finalizers)
    metadata.ownerReferences.add(
        apiVersion=API_VERSION, kind=KIND, name=owner.name, uid=owner.uid, controller=True, blockOwnerDeletion=True
    )
    return pod
