"""Server-side apply through the registry."""

import pytest

from kubewire.apiserver.contracts import Body, Encoding, Patch, PatchType
from kubewire.apiserver.options import WriteOptions
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, to_json

CONFIG = b"""
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {k: v}
"""


async def apply(
    cluster: Cluster,
    config: bytes,
    manager: str,
    name: str = "configmaps",
    path: str = "default/a",
    *,
    force: bool = False,
) -> Json:
    """Apply a configuration and give back the object."""
    options = WriteOptions(field_manager=manager, force=force)
    written = await cluster.objects.patch(cluster.call(name, path), Patch(PatchType.APPLY_YAML, config), options)
    return to_json(written.item)


def owners(obj: Json) -> list[tuple[str, str]]:
    """Managers and their operations."""
    metadata = obj["metadata"]
    assert isinstance(metadata, dict)
    return [(one["manager"], one["operation"]) for one in metadata["managedFields"]]


async def test_an_apply_creates_what_is_not_there(cluster: Cluster) -> None:
    """And owns what it said."""
    options = WriteOptions(field_manager="me")
    patch = Patch(PatchType.APPLY_YAML, CONFIG)
    written = await cluster.objects.patch(cluster.call("configmaps", "default/a"), patch, options)
    assert written.created
    made = to_json(written.item)
    assert made["data"] == {"k": "v"}
    assert owners(made) == [("me", "Apply")]
    assert await cluster.get("configmaps", "default/a") == made


async def test_applying_the_same_again_writes_nothing(cluster: Cluster) -> None:
    """The version stays."""
    made = await apply(cluster, CONFIG, "me")
    assert await apply(cluster, CONFIG, "me") == made


async def test_what_is_no_longer_said_goes(cluster: Cluster) -> None:
    """Unless somebody else owns it."""
    await apply(cluster, CONFIG.replace(b"{k: v}", b"{k: v, l: w}"), "me")
    await cluster.patch("configmaps", "default/a", {"data": {"m": "x"}})
    new = await apply(cluster, CONFIG, "me")
    assert new["data"] == {"k": "v", "m": "x"}


async def test_fields_of_others_are_not_taken_unasked(cluster: Cluster) -> None:
    """409 naming the owner, until the caller insists."""
    await apply(cluster, CONFIG, "me")
    other = CONFIG.replace(b"k: v", b"k: w")
    with pytest.raises(StatusError) as raised:
        await apply(cluster, other, "you")
    assert (raised.value.code, str(raised.value)) == (409, 'Apply failed with 1 conflict: conflict with "me": .data.k')
    new = await apply(cluster, other, "you", force=True)
    assert new["data"] == {"k": "w"}
    assert owners(new) == [("you", "Apply")]


async def test_an_applied_pod_is_defaulted_and_admitted(cluster: Cluster) -> None:
    """What the server fills in belongs to nobody."""
    config = b"{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: i}]}}"
    made = await apply(cluster, config, "me", "pods", "default/p")
    spec = made["spec"]
    assert isinstance(spec, dict)
    assert spec["restartPolicy"] == "Always"
    assert spec["serviceAccountName"] == "default"
    assert await apply(cluster, config, "me", "pods", "default/p") == made


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (b"a: [", "error decoding YAML: "),
        (b"", "error decoding YAML: want one document, found 0"),
        (CONFIG.replace(b"v1", b"v2"), "Incorrect version specified in apply patch."),
        (CONFIG.replace(b"name: a", b"name: b"), "the name of the object (b) does not match the name on the URL (a)"),
    ],
)
async def test_configurations_that_cannot_be_meant_are_bad_requests(
    cluster: Cluster, config: bytes, message: str
) -> None:
    """400."""
    with pytest.raises(StatusError) as raised:
        await apply(cluster, config, "me")
    assert raised.value.code == 400
    assert str(raised.value).startswith(message)


async def test_objects_may_be_posted_as_yaml(cluster: Cluster) -> None:
    """As JSON is."""
    call = cluster.call("configmaps", "default/")
    made = to_json((await cluster.objects.create(call, Body(CONFIG, Encoding.YAML), PLAIN)).item)
    assert made["data"] == {"k": "v"}
    with pytest.raises(StatusError) as raised:
        await cluster.objects.create(call, Body(b"a: [", Encoding.YAML), PLAIN)
    assert raised.value.code == 400
