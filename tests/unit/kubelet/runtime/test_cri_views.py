"""CRI's messages as plain values."""

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.runtime import cri_views as views
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import Phase, PodIdentity

POD = PodIdentity("u1", "shop", "web")


def test_a_time_that_has_not_come_is_nothing() -> None:
    """containerd says year one, or zero."""
    status = cri.ContainerStatus(id="c1", created_at=1_500_000_000, started_at=-6_795_364_578_871_345_152)
    found = views.container(status, "s1")
    assert (found.created_at, found.started_at, found.finished_at) == (1.5, 0.0, 0.0)
    assert found.phase is Phase.CREATED


def test_states_of_lists_are_those_of_looks() -> None:
    """A list that shows nothing different has nothing looked at."""
    sandbox = cri.PodSandbox(id="s1", labels=labels.pod_labels(POD), state=cri.SANDBOX_NOTREADY)
    container = cri.Container(id="c1", labels=labels.pod_labels(POD), state=cri.CONTAINER_EXITED)
    stranger = cri.Container(id="c2", labels={"app": "mine"})
    (listed,) = views.listed([sandbox], [container, stranger])
    assert listed.identity == POD
    assert listed.states == {("s1", "down"), ("c1", "exited")}


def test_addresses_are_those_of_both_families() -> None:
    """The first one is the pod's; without a network of its own there is none."""
    status = cri.PodSandboxStatus(id="s1", state=cri.SANDBOX_READY)
    assert views.sandbox(status).ips == ()
    status.network.ip = "10.0.0.5"
    status.network.additional_ips.add(ip="fd00::5")
    assert views.sandbox(status).ips == ("10.0.0.5", "fd00::5")


def test_who_an_image_runs_as() -> None:
    """A number, a name, or nobody in particular."""
    assert views.image(cri.Image(id="i", uid=cri.Int64Value(value=0))).uid == 0
    assert views.image(cri.Image(id="i", username="baker")).username == "baker"
    assert views.image(cri.Image(id="i")).uid is None
    assert views.image(cri.Image(id="i", repo_digests=["app@sha256:1"])).ref == "app@sha256:1"
    assert views.image(cri.Image(id="i")).ref == "i"
