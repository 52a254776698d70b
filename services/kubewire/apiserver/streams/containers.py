"""Which container of a pod a call is about, in Kubernetes' words where that is not clear."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.machinery import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec


def container_of(pod: Pod, wanted: str) -> str:
    """The container that was named, or the only one.

    Raises:
        StatusError: 400, there is none of the name, or several and none was named.
    """
    name, spec = pod.metadata.name, pod.spec
    if wanted:
        if wanted not in _all_names(spec):
            raise errors.bad_request(f"container {wanted} is not valid for pod {name}")
        return wanted
    names = [container.name for container in spec.containers]
    if len(names) == 1:
        return names[0]
    raise errors.bad_request(
        f"a container name must be specified for pod {name}, choose one of: {_listed(names)}" + _further(spec)
    )


def node_of(pod: Pod) -> str:
    """The node the pod is bound to.

    Raises:
        StatusError: 400, none yet.
    """
    if not pod.spec.nodeName:
        raise errors.bad_request(f"pod {pod.metadata.name} does not have a host assigned")
    return pod.spec.nodeName


def _all_names(spec: PodSpec) -> set[str]:
    ephemeral = (container.ephemeralContainerCommon.name for container in spec.ephemeralContainers)
    return {container.name for container in (*spec.containers, *spec.initContainers)} | set(ephemeral)


def _further(spec: PodSpec) -> str:
    text = ""
    if spec.initContainers:
        text += f" or one of the init containers: {_listed(one.name for one in spec.initContainers)}"
    if spec.ephemeralContainers:
        names = (one.ephemeralContainerCommon.name for one in spec.ephemeralContainers)
        text += f" or one of the ephemeral containers: {_listed(names)}"
    return text


def _listed(names: Iterable[str]) -> str:
    return f"[{' '.join(names)}]"
