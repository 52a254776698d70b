"""Binding pods to nodes."""

import pytest

from kubewire.api.core.v1.binding_pb2 import Binding
from kubewire.apiserver.contracts import Body, Encoding
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, body, to_json

CONTAINERS = [{"name": "c", "image": "i"}]
POD: Json = {"metadata": {"name": "p"}, "spec": {"containers": CONTAINERS}}
TO_N: Json = {"target": {"kind": "Node", "name": "n"}}


async def bind(cluster: Cluster, binding: Json) -> Json:
    """Bind pod p and give it back."""
    written = await cluster.objects.create(cluster.call("pods/binding", "default/p"), body(binding), PLAIN)
    assert written.created
    return to_json(written.item)


async def refused(cluster: Cluster, binding: Json) -> StatusError:
    """The error that binding pod p is answered with."""
    with pytest.raises(StatusError) as raised:
        await bind(cluster, binding)
    return raised.value


async def test_a_binding_puts_the_pod_on_the_node(cluster: Cluster) -> None:
    """The node's name and the condition are set, and nothing else is touched."""
    made = await cluster.create("pods", "default/", POD)
    await bind(cluster, {**TO_N, "metadata": {"name": "p", "annotations": {"a": "b"}}})
    found = await cluster.get("pods", "default/p")
    assert found["spec"].pop("nodeName") == "n"
    assert found["metadata"].pop("annotations") == {"a": "b"}
    assert found["status"].pop("conditions") == [
        {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": "2027-01-15T08:00:00Z"}
    ]
    assert found["metadata"].pop("resourceVersion") > made["metadata"].pop("resourceVersion")
    assert found == made


async def test_a_pod_that_could_not_be_scheduled_before_now_is(cluster: Cluster) -> None:
    """The condition turns and loses its reason."""
    await cluster.create("pods", "default/", POD)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "m"}
    await cluster.patch("pods/status", "default/p", {"status": {"conditions": [condition]}})
    await bind(cluster, TO_N)
    found = await cluster.get("pods", "default/p")
    assert found["status"]["conditions"] == [
        {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": "2027-01-15T08:00:00Z"}
    ]


async def test_a_pod_is_bound_once(cluster: Cluster) -> None:
    """409 for the second node."""
    await cluster.create("pods", "default/", POD)
    await bind(cluster, TO_N)
    error = await refused(cluster, TO_N)
    assert (error.code, str(error)) == (
        409,
        'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n"',
    )


@pytest.mark.parametrize(
    ("binding", "code", "message"),
    [
        ({}, 422, 'Binding "" is invalid: target.name: Required value'),
        (
            {"target": {"kind": "Pod", "name": "n"}},
            422,
            'Binding "" is invalid: target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
        ),
        ({**TO_N, "metadata": {"name": "q"}}, 400, "name in URL does not match name in Binding object"),
        (
            {**TO_N, "metadata": {"resourceVersion": "1"}},
            409,
            'Operation cannot be fulfilled on pods/binding "p": Precondition failed: ResourceVersion in precondition',
        ),
        (
            {**TO_N, "metadata": {"uid": "u"}},
            409,
            'Operation cannot be fulfilled on pods/binding "p": Precondition failed: UID in precondition: u, UID in ',
        ),
    ],
)
async def test_a_binding_that_cannot_be_meant_is_refused(
    cluster: Cluster, binding: Json, code: int, message: str
) -> None:
    """Malformed, for another pod, or for another version of it."""
    await cluster.create("pods", "default/", POD)
    error = await refused(cluster, binding)
    assert error.code == code
    assert str(error).startswith(message)


async def test_pods_that_are_gated_or_leaving_are_not_bound(cluster: Cluster) -> None:
    """409."""
    gated = {"metadata": {"name": "p"}, "spec": {"containers": CONTAINERS, "schedulingGates": [{"name": "x.io/g"}]}}
    await cluster.create("pods", "default/", gated)
    assert "pod p has non-empty .spec.schedulingGates" in str(await refused(cluster, TO_N))
    await cluster.patch("pods", "default/p", {"metadata": {"finalizers": ["x.io/y"]}})
    await cluster.delete("pods", "default/p")
    assert "pod p is being deleted, cannot be assigned to a host" in str(await refused(cluster, TO_N))


async def test_a_binding_posted_to_bindings_names_its_pod(cluster: Cluster) -> None:
    """The older way, in protobuf."""
    await cluster.create("pods", "default/", POD)
    binding = Binding()
    binding.metadata.name, binding.target.name = "p", "n"
    sent = Body(binding.SerializeToString(), Encoding.PROTOBUF)
    await cluster.objects.create(cluster.call("bindings", "default/"), sent, PLAIN)
    assert (await cluster.get("pods", "default/p"))["spec"]["nodeName"] == "n"


async def test_bindings_of_a_batch_name_their_pods(cluster: Cluster) -> None:
    """Each is answered by itself."""
    await cluster.create("pods", "default/", POD)
    named = {**TO_N, "metadata": {"name": "p"}}
    bindings = [named, named, {**TO_N, "metadata": {"name": "nobody"}}, TO_N]
    first, *others = await cluster.objects.create_many(
        cluster.call("pods/binding", "default/"), [body(one) for one in bindings], PLAIN
    )
    assert not isinstance(first, StatusError)
    assert [one.code for one in others if isinstance(one, StatusError)] == [409, 404, 400]
