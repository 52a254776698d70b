"""What pods ask for: containers, init containers, sidecars, the pod as a whole, overhead."""

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_spec_pb2 import PodSpec
from kubewire.scheduler.pods.amounts import AMOUNT_AT_MOST, requests_of, with_tag


def container(*, sidecar: bool = False, **requests: str) -> Container:
    """A container that asks for something."""
    made = Container(restartPolicy="Always") if sidecar else Container()
    for name, amount in requests.items():
        made.resources.requests[name].string = amount
    return made


def test_containers_add_up() -> None:
    """CPU counts in thousandths, memory in bytes, and all containers run at once."""
    spec = PodSpec(containers=[container(cpu="100m", memory="1Mi"), container(cpu="1.5", memory="1k")])
    assert requests_of(spec).asked == {"cpu": 1600, "memory": (1 << 20) + 1000}


def test_init_containers_run_one_after_the_other() -> None:
    """The largest init container counts if it asks for more than the containers do, resource by resource."""
    init = [container(cpu="2", memory="1Ki"), container(cpu="1", memory="8Ki")]
    spec = PodSpec(initContainers=init, containers=[container(cpu="500m", memory="16Ki")])
    assert requests_of(spec).asked == {"cpu": 2000, "memory": 16384}


def test_sidecars_run_on() -> None:
    """A sidecar counts beside the containers, and beside init containers that start after it."""
    init = [container(cpu="3"), container(sidecar=True, cpu="1"), container(cpu="2500m")]
    spec = PodSpec(initContainers=init, containers=[container(cpu="1")])
    assert requests_of(spec).asked == {"cpu": 3500}
    assert requests_of(PodSpec(initContainers=init[1:2], containers=[container(cpu="1")])).asked == {"cpu": 2000}


def test_the_pod_as_a_whole_wins() -> None:
    """What the pod asks for as a whole takes the place of what its containers do; overhead comes on top."""
    spec = PodSpec(containers=[container(cpu="1", memory="1Ki")])
    spec.resources.requests["cpu"].string = "3"
    spec.overhead["memory"].string = "1Ki"
    assert requests_of(spec).asked == {"cpu": 3000, "memory": 2048}


def test_who_asks_for_nothing_counts_for_something() -> None:
    """Scores count 100m and 200Mi for a container that asks for none; where it fits, it asks for nothing."""
    requests = requests_of(PodSpec(containers=[container(), container(cpu="1")]))
    assert requests.counted == (1100, 400 << 20)
    assert requests.asked == {"cpu": 1000}


def test_amounts_are_bounded() -> None:
    """An absurd amount is cut to what scores can be computed with."""
    assert requests_of(PodSpec(containers=[container(memory="9E")])).asked == {"memory": AMOUNT_AT_MOST}


def test_images_have_tags() -> None:
    """An image without a tag is the latest; a port of a registry is no tag."""
    assert with_tag("web") == "web:latest"
    assert with_tag("web:1") == "web:1"
    assert with_tag("host:5000/web") == "host:5000/web:latest"
    assert with_tag("web@sha256:12") == "web@sha256:12"
