"""The scale of workloads."""

import json
from typing import Any

import pytest

from kubewire.apiserver.contracts import Patch, PatchType
from kubewire.apiserver.item import Item
from kubewire.apiserver.options import GetOptions
from kubewire.machinery.codec.encode import encode_raw
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, body

SCALE = "k8s.io.api.autoscaling.v1.Scale"
DEPLOYMENT: Json = {
    "metadata": {"name": "d"},
    "spec": {
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "c", "image": "i"}]},
        },
    },
}


def shown(item: Item) -> dict[str, Any]:
    """A Scale as clients see it."""
    found: dict[str, Any] = json.loads(encode_raw(item.raw, SCALE))
    return found


async def test_a_workload_has_a_scale(cluster: Cluster) -> None:
    """Replicas wanted and there, and the selector as text."""
    made = await cluster.create("deployments.apps", "default/", DEPLOYMENT)
    scale = shown(await cluster.objects.get(cluster.call("deployments.apps/scale", "default/d"), GetOptions()))
    assert scale["spec"] == {"replicas": 1}
    assert scale["status"] == {"replicas": 0, "selector": "a=b"}
    assert scale["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_setting_the_scale_changes_the_workload(cluster: Cluster) -> None:
    """By a whole Scale or by a patch of it; owned through the subresource, and counted as a change."""
    await cluster.create("deployments.apps", "default/", DEPLOYMENT)
    call = cluster.call("deployments.apps/scale", "default/d")
    written = await cluster.objects.update(call, body({"metadata": {"name": "d"}, "spec": {"replicas": 4}}), PLAIN)
    assert shown(written.item)["spec"] == {"replicas": 4}
    patch = Patch(PatchType.MERGE, b'{"spec": {"replicas": 0}}')
    assert shown((await cluster.objects.patch(call, patch, PLAIN)).item)["spec"] == {}
    found = await cluster.get("deployments.apps", "default/d")
    assert found["spec"]["replicas"] == 0
    assert found["metadata"]["generation"] == 3
    owner = next(one for one in found["metadata"]["managedFields"] if one.get("subresource") == "scale")
    assert owner["fieldsV1"] == {"f:spec": {"f:replicas": {}}}


async def test_a_scale_of_another_version_or_of_nothing_is_refused(cluster: Cluster) -> None:
    """409, 404 and 422."""
    await cluster.create("deployments.apps", "default/", DEPLOYMENT)
    cases: list[tuple[str, Json, int]] = [
        ("d", {"metadata": {"name": "d", "resourceVersion": "1"}, "spec": {"replicas": 4}}, 409),
        ("e", {"metadata": {"name": "e"}, "spec": {"replicas": 4}}, 404),
        ("d", {"metadata": {"name": "d"}, "spec": {"replicas": -1}}, 422),
        ("d", {"metadata": {"name": "e"}}, 400),
    ]
    for name, scale, code in cases:
        with pytest.raises(StatusError) as raised:
            await cluster.objects.update(cluster.call("deployments.apps/scale", f"default/{name}"), body(scale), PLAIN)
        assert raised.value.code == code
