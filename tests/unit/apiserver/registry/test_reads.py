"""Reading: options are checked, and events are served in both groups."""

import asyncio

import pytest

from kubewire.api.events.v1.event_pb2 import Event
from kubewire.apiserver.options import GetOptions, ListOptions, WatchOptions
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import Cluster, Json

EVENT: Json = {
    "metadata": {"name": "e"},
    "involvedObject": {"kind": "Pod", "name": "p", "namespace": "default"},
    "message": "m",
}


async def fill(cluster: Cluster, *names: str) -> None:
    """ConfigMaps of these names, labelled with them."""
    for name in names:
        await cluster.create("configmaps", "default/", {"metadata": {"name": name, "labels": {"l": name}}})


async def names(cluster: Cluster, options: ListOptions) -> list[str]:
    """The ConfigMaps that a list answers with."""
    return [item.name for item in (await cluster.objects.list(cluster.call("configmaps", "default/"), options)).items]


async def test_a_read_sees_every_write_before_it(cluster: Cluster) -> None:
    """Get and list without a version are linearizable."""
    await fill(cluster, "a")
    assert (await cluster.get("configmaps", "default/a"))["metadata"]["name"] == "a"
    await fill(cluster, "b")
    assert await names(cluster, ListOptions()) == ["a", "b"]


async def test_a_read_may_ask_for_a_version(cluster: Cluster) -> None:
    """Any, or one not older than; one that never was is waited for, then refused."""
    await fill(cluster, "a")
    item = await cluster.objects.get(cluster.call("configmaps", "default/a"), GetOptions())
    for version in ("0", item.resource_version):
        again = await cluster.objects.get(cluster.call("configmaps", "default/a"), GetOptions(version))
        assert again.raw == item.raw
    with pytest.raises(StatusError) as raised:
        await cluster.objects.get(cluster.call("configmaps", "default/a"), GetOptions("999999"))
    error = raised.value
    assert (error.code, error.retry_after_seconds) == (504, 1)
    assert error.details is not None
    assert error.details.causes[0].type == "ResourceVersionTooLarge"


async def test_what_is_not_there_is_not_found(cluster: Cluster) -> None:
    """404 naming the resource."""
    with pytest.raises(StatusError, match='configmaps "a" not found'):
        await cluster.get("configmaps", "default/a")


async def test_what_has_no_objects_is_not_listed(cluster: Cluster) -> None:
    """404 for resources that are only posted to."""
    with pytest.raises(StatusError, match="the server could not find the requested resource"):
        await cluster.objects.list(cluster.call("bindings", "default/"), ListOptions())


async def test_lists_select_and_come_in_pages(cluster: Cluster) -> None:
    """By labels, by fields, and a page at a time."""
    await fill(cluster, "a", "b", "c")
    assert await names(cluster, ListOptions(label_selector="l in (a,c)")) == ["a", "c"]
    assert await names(cluster, ListOptions(field_selector="metadata.name!=b")) == ["a", "c"]
    page = await cluster.objects.list(cluster.call("configmaps", "default/"), ListOptions(limit=2))
    assert ([item.name for item in page.items], page.remaining) == (["a", "b"], 1)
    assert await names(cluster, ListOptions(limit=2, continue_token=page.continue_token)) == ["c"]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (ListOptions(label_selector="a in"), 400, "unable to parse requirement: "),
        (ListOptions(field_selector="a"), 400, "invalid selector: 'a'; can't understand 'a'"),
        (
            ListOptions(field_selector="spec.x=y"),
            400,
            '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
        ),
        (ListOptions(resource_version="x"), 400, "invalid resource version: "),
        (ListOptions(continue_token="x", resource_version="5"), 400, "specifying resource version is not allowed"),
        (ListOptions(continue_token="x"), 400, "continue key is not valid: "),
        (ListOptions(resource_version_match="Exact"), 422, "ListOptions.meta.k8s.io"),
    ],
)
async def test_lists_that_make_no_sense_are_refused(
    cluster: Cluster, options: ListOptions, code: int, message: str
) -> None:
    """400 or 422 in Kubernetes' words."""
    with pytest.raises(StatusError) as raised:
        await names(cluster, options)
    assert raised.value.code == code
    assert message in str(raised.value)


async def test_fields_of_pods_are_refused_in_their_own_words(cluster: Cluster) -> None:
    """Kinds with fields of their own do not list them."""
    with pytest.raises(StatusError, match=r"^field label not supported: spec\.x$"):
        await cluster.objects.list(cluster.call("pods", "default/"), ListOptions(field_selector="spec.x=y"))


async def test_events_are_the_same_in_both_groups(cluster: Cluster) -> None:
    """Written in one, they are read, listed, selected and watched in the other under its names."""
    watch = await cluster.objects.watch(
        cluster.call("events.events.k8s.io", "default/"), WatchOptions(resource_version="1")
    )
    made = await cluster.create("events", "default/", EVENT)
    found = await cluster.get("events.events.k8s.io", "default/e")
    assert (found["note"], found["regarding"]["name"]) == ("m", "p")
    assert found["metadata"] == made["metadata"]
    selected = ListOptions(field_selector="regarding.name=p")
    page = await cluster.objects.list(cluster.call("events.events.k8s.io", "default/"), selected)
    assert [Event.FromString(item.raw).note for item in page.items] == ["m"]
    async with asyncio.timeout(10):
        batch = await anext(aiter(watch))
    await watch.aclose()
    assert [Event.FromString(event.item.raw).note for event in batch.events if event.item] == ["m"]


async def test_events_written_in_the_newer_group_are_stored_as_the_older(cluster: Cluster) -> None:
    """And can be changed there."""
    given: Json = {
        "metadata": {"name": "e"},
        "eventTime": "2027-01-15T08:00:00.000000Z",
        "reportingController": "x.io/y",
        "reportingInstance": "i",
        "action": "a",
        "reason": "R",
        "type": "Normal",
        "regarding": {"kind": "Pod", "name": "p", "namespace": "default"},
        "note": "n",
    }
    await cluster.create("events.events.k8s.io", "default/", given)
    found = await cluster.get("events", "default/e")
    assert (found["message"], found["reportingComponent"]) == ("n", "x.io/y")
    patched = await cluster.patch("events", "default/e", {"count": 2})
    assert (patched["message"], patched["count"]) == ("n", 2)


async def test_events_expire(cluster: Cluster) -> None:
    """They are gone an hour later."""
    await cluster.create("events", "default/", EVENT)
    await asyncio.sleep(3000)
    assert await cluster.exists("events", "default/e")
    await asyncio.sleep(4000)
    assert not await cluster.exists("events", "default/e")


async def test_autoscalers_are_served_in_both_versions(cluster: Cluster) -> None:
    """Kept in v2, shown in v1 with the one metric that it knows."""
    target = {"type": "Utilization", "averageUtilization": 70}
    spec = {
        "scaleTargetRef": {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"},
        "maxReplicas": 3,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    name = "horizontalpodautoscalers.autoscaling"
    await cluster.create(name, "default/", {"metadata": {"name": "h"}, "spec": spec})
    call = cluster.call(name, "default/h")
    v1 = next(one for one in cluster.core.kinds._table.served() if one.gvk == ("autoscaling", "v1", call.resource.kind))
    call.resource = v1
    item = await cluster.objects.get(call, GetOptions())
    assert item.message.spec.targetCPUUtilizationPercentage == 70  # type: ignore[attr-defined]  # looked up by name
