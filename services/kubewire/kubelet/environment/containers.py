"""The containers of a pod by name, whatever list of its spec they stand in."""

from __future__ import annotations

from collections.abc import Iterator

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod


def containers_of(pod: Pod) -> Iterator[Container]:
    """Init containers, containers and ephemeral containers, in this order."""
    yield from pod.spec.initContainers
    yield from pod.spec.containers
    for ephemeral in pod.spec.ephemeralContainers:
        # The same fields under the same numbers: an ephemeral container is a container that was added later.
        yield Container.FromString(ephemeral.ephemeralContainerCommon.SerializeToString())


def container_of(pod: Pod, name: str) -> Container:
    """One container.

    Raises:
        LookupError: the pod has none of this name; the caller's mistake.
    """
    for container in containers_of(pod):
        if container.name == name:
            return container
    raise LookupError(f"pod {pod.metadata.namespace}/{pod.metadata.name} has no container {name!r}")
