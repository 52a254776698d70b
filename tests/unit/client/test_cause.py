"""Causes name object versions and hold for what is done inside."""

import asyncio

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.client.cause import caused_by, current_cause


def pod() -> Pod:
    """A pod with a version."""
    made = Pod()
    made.metadata.namespace, made.metadata.name, made.metadata.resourceVersion = "default", "web", "42"
    return made


def test_a_cause_names_kind_key_and_version() -> None:
    """Namespaced and cluster-scoped objects are told apart."""
    node = Node()
    node.metadata.name, node.metadata.resourceVersion = "n1", "7"
    with caused_by(pod()):
        assert current_cause() == "Pod/default/web@42"
    with caused_by(node):
        assert current_cause() == "Node/n1@7"
    assert current_cause() == ""


def test_causes_nest() -> None:
    """The innermost holds, and the one outside it again afterwards."""
    with caused_by("a"):
        with caused_by("b"):
            assert current_cause() == "b"
        assert current_cause() == "a"


def test_a_cause_is_fit_for_a_header() -> None:
    """What is not printable ASCII is percent-encoded, and so is the percent sign."""
    with caused_by("Role/a%b/é\n@1"):
        assert current_cause() == "Role/a%25b/%C3%A9%0A@1"


async def test_tasks_have_causes_of_their_own() -> None:
    """A task started inside carries the cause; those beside it do not."""

    async def read() -> str:
        await asyncio.sleep(1)
        return current_cause()

    async with asyncio.TaskGroup() as group:
        outside = group.create_task(read())
        with caused_by(pod()):
            inside = group.create_task(read())
    assert (outside.result(), inside.result()) == ("", "Pod/default/web@42")
