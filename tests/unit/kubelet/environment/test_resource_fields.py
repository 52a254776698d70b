"""Requests and limits as text."""

import pytest

from kubewire.api.core.v1.field_selector_pb2 import ResourceFieldSelector
from kubewire.kubelet.environment.resource_fields import UnknownResource, resource_text
from tests.unit.kubelet.manifests import pod_of

POD = pod_of("""
    containers:
    - name: main
      resources:
        requests: {cpu: 250m, memory: 100Mi, hugepages-2Mi: 4Mi}
        limits: {cpu: 1500m, ephemeral-storage: 1G}
    - name: other
""")
ALLOCATABLE = {"cpu": "3", "memory": "2Gi"}


@pytest.mark.parametrize(
    ("resource", "divisor", "text"),
    [
        ("limits.cpu", "", "2"),
        ("limits.cpu", "1", "2"),
        ("limits.cpu", "1m", "1500"),
        ("limits.cpu", "0", "2"),
        ("requests.cpu", "100m", "3"),
        ("requests.memory", "", str(100 << 20)),
        ("requests.memory", "1Mi", "100"),
        ("requests.memory", "1M", "105"),
        ("limits.memory", "1Gi", "2"),
        ("limits.ephemeral-storage", "1M", "1000"),
        ("requests.ephemeral-storage", "1M", "0"),
        ("requests.hugepages-2Mi", "2Mi", "2"),
    ],
)
def test_amounts(resource: str, divisor: str, text: str) -> None:
    """Amounts are in whole divisors, rounded up; a limit that is not set is what the node has for pods."""
    field = ResourceFieldSelector(resource=resource)
    if divisor:
        field.divisor.string = divisor
    assert resource_text(POD, POD.spec.containers[0], field, ALLOCATABLE) == text


def test_the_limit_of_the_pod_counts_before_the_nodes() -> None:
    """A container without a limit has the pod's."""
    pod = pod_of("{resources: {limits: {memory: 1Gi}}, containers: [{name: main}]}")
    field = ResourceFieldSelector(resource="limits.memory")
    assert resource_text(pod, pod.spec.containers[0], field, ALLOCATABLE) == str(1 << 30)


@pytest.mark.parametrize("resource", ["cpu", "limits.gpu", "reserved.cpu", ""])
def test_other_resources_are_refused(resource: str) -> None:
    """A name that is none is told."""
    with pytest.raises(UnknownResource, match="unsupported container resource"):
        resource_text(POD, POD.spec.containers[0], ResourceFieldSelector(resource=resource), {})
