"""Which container a call is about."""

import pytest

from kubewire.api.core.v1.container_pb2 import Container, EphemeralContainer, EphemeralContainerCommon
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
from kubewire.apiserver.streams.containers import container_of, node_of
from kubewire.machinery.errors import StatusError


def pod(*names: str, init: tuple[str, ...] = (), ephemeral: tuple[str, ...] = (), node: str = "") -> Pod:
    """A pod with containers of these names."""
    spec = PodSpec(
        containers=[Container(name=name) for name in names],
        initContainers=[Container(name=name) for name in init],
        ephemeralContainers=[
            EphemeralContainer(ephemeralContainerCommon=EphemeralContainerCommon(name=name)) for name in ephemeral
        ],
        nodeName=node,
    )
    return Pod(metadata=ObjectMeta(name="web"), spec=spec)


def test_the_only_container_need_not_be_named() -> None:
    """Init containers do not count as another one."""
    assert container_of(pod("app", init=("setup",)), "") == "app"


@pytest.mark.parametrize("name", ["app", "setup", "debug"])
def test_every_container_can_be_named(name: str) -> None:
    """Init and ephemeral containers too."""
    assert container_of(pod("app", init=("setup",), ephemeral=("debug",)), name) == name


def test_one_of_several_has_to_be_named() -> None:
    """The error lists all there are, in Kubernetes' words."""
    with pytest.raises(StatusError) as raised:
        container_of(pod("a", "b", init=("c",), ephemeral=("d", "e")), "")
    assert raised.value.code == 400
    assert raised.value.message == (
        "a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [c] "
        "or one of the ephemeral containers: [d e]"
    )


def test_unknown_names_are_refused() -> None:
    """As a bad request, not as something that may appear."""
    with pytest.raises(StatusError, match=r"^container x is not valid for pod web$") as raised:
        container_of(pod("app"), "x")
    assert raised.value.code == 400


def test_a_pod_needs_a_node() -> None:
    """Before it is bound there is nobody to ask."""
    assert node_of(pod("app", node="n1")) == "n1"
    with pytest.raises(StatusError, match=r"^pod web does not have a host assigned$"):
        node_of(pod("app"))
