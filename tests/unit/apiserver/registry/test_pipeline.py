"""Objects posted to the registry come out as a Kubernetes v1.36 server answers them, managedFields included.

The fixtures were taken from a whole cluster, whose controllers had written to some objects; what they added is listed.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubewire.apiserver.contracts import Body, Call, Encoding
from kubewire.apiserver.options import WriteOptions
from kubewire.machinery.codec.encode import encode_raw
from tests.unit.apiserver.registry.cluster import ADMIN, TABLE, Cluster

DATA = Path("tests/data/sparse")
CASES = sorted(path.name.removesuffix(".request.json") for path in DATA.glob("*.request.json"))
MANAGER = "Python-urllib"

_UID = ["labels/.*controller-uid", "matchLabels/.*controller-uid"]
_TOKEN = ["spec/volumes.*", "spec/containers/0/volumeMounts.*"]
_SCHEDULED = ["status/conditions"]
BY_OTHERS = {
    "daemonset": ["status/observedGeneration"],
    "deployment": ["metadata/annotations", "status/.*"],
    "job": [*_UID, "status/.*"],
    "node": ["metadata/annotations", "spec/podCIDRs?"],
    "pdb": ["status/.*"],
    "pod-minimal": [*_TOKEN, *_SCHEDULED],
    "pod-probes": [*_TOKEN, *_SCHEDULED],
    "pod-volumes": [*_TOKEN, *_SCHEDULED],
    "pv": ["status/phase", "status/lastPhaseTransitionTime"],
    "rc": ["status/.*"],
    "replicaset": ["status/.*"],
    "resourcequota": ["status/(hard|used)"],
    "service-clusterip": ["spec/clusterIPs?.*"],
}
"""What differs, as patterns of paths: written by controllers or the scheduler, random (the controller's uid, the
cluster IP), or given to pods by the plug-in that mounts the token of their service account."""


@pytest.mark.parametrize("case", CASES)
async def test_an_object_comes_out_as_kubernetes_answers_it(cluster: Cluster, case: str) -> None:
    """Defaults, admission, what the server owns, and who owns which field are all the same."""
    await cluster.create("namespaces", "", {"metadata": {"name": "cap"}})
    wanted = json.loads((DATA / f"{case}.json").read_text())
    made = await post(cluster, (DATA / f"{case}.request.json").read_bytes())
    patterns = [re.compile(pattern) for pattern in BY_OTHERS.get(case, [])]
    unexpected = {
        path: values
        for path, *values in differences(comparable(made), comparable(wanted))
        if not any(pattern.search(path) for pattern in patterns)
    }
    assert unexpected == {}


async def post(cluster: Cluster, data: bytes) -> dict[str, Any]:
    """Create an object and give back what is answered."""
    given = json.loads(data)
    group, _, version = given["apiVersion"].rpartition("/")
    resource = TABLE.by_kind(group, version, given["kind"])
    assert resource is not None
    call = Call(ADMIN, resource, "cap" if resource.namespaced else "", user_agent=f"{MANAGER}/3.11")
    written = await cluster.objects.create(call, Body(data, Encoding.JSON), WriteOptions())
    found: dict[str, Any] = json.loads(encode_raw(written.item.raw, resource.message, resource.gvk))
    return found


def comparable(obj: dict[str, Any]) -> dict[str, Any]:
    """Without identity and times, and with nobody's fields but the author's."""
    meta = obj["metadata"]
    for name in ("uid", "resourceVersion", "creationTimestamp"):
        assert meta.pop(name)
    meta["managedFields"] = [
        {name: value for name, value in entry.items() if name != "time"}
        for entry in meta.get("managedFields", [])
        if entry["manager"] == MANAGER
    ]
    return obj


def differences(left: Any, right: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - JSON
    """Paths at which two JSON values differ, with both values."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in left.keys() | right.keys():
            yield from differences(left.get(key, ...), right.get(key, ...), f"{path}/{key}" if path else key)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for position, pair in enumerate(zip(left, right, strict=True)):
            yield from differences(*pair, f"{path}/{position}")
    elif left != right:
        yield path, left, right
