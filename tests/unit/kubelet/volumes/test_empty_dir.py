"""How large volumes in memory may grow."""

import pytest

from kubewire.kubelet.volumes.empty_dir import memory_bytes
from tests.unit.kubelet.manifests import pod_of

MEBI = 1 << 20


@pytest.mark.parametrize(
    ("limit", "containers", "size"),
    [
        ("", "[{name: a}]", None),
        (", sizeLimit: 64Mi", "[{name: a}]", 64 * MEBI),
        ("", "[{name: a, resources: {limits: {memory: 32Mi}}}]", 32 * MEBI),
        (", sizeLimit: 64Mi", "[{name: a, resources: {limits: {memory: 32Mi}}}]", 32 * MEBI),
        (", sizeLimit: 16Mi", "[{name: a, resources: {limits: {memory: 32Mi}}}]", 16 * MEBI),
        ("", "[{name: a, resources: {limits: {memory: 32Mi}}}, {name: b}]", None),
        (
            "",
            "[{name: a, resources: {limits: {memory: 32Mi}}}, {name: b, resources: {limits: {memory: 1Mi}}}]",
            33 * MEBI,
        ),
    ],
)
def test_sizes(limit: str, containers: str, size: int | None) -> None:
    """The volume's own limit or what all containers may use together, whichever is less."""
    pod = pod_of(f"{{volumes: [{{name: v, emptyDir: {{medium: Memory{limit}}}}}], containers: {containers}}}")
    assert memory_bytes(pod, pod.spec.volumes[0].volumeSource.emptyDir) == size


def test_the_pods_own_limit() -> None:
    """A pod's limit holds for all of its containers."""
    pod = pod_of(
        "{resources: {limits: {memory: 8Mi}}, containers: [{name: a}],"
        " volumes: [{name: v, emptyDir: {medium: Memory}}]}"
    )
    assert memory_bytes(pod, pod.spec.volumes[0].volumeSource.emptyDir) == 8 * MEBI
