"""Which ConfigMaps and Secrets a pod names, anywhere: what its node has to know. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.kubelet.environment.containers import containers_of
from kubewire.kubelet.environment.named import SECRET, Named, named_by
from kubewire.kubelet.volumes.payload import names_in


def references_of(pod: Pod) -> set[Named]:
    """In volumes, variables and pull secrets."""
    return {named for named in _named(pod) if named.name}


def _named(pod: Pod) -> Iterator[Named]:
    for volume in pod.spec.volumes:
        yield from names_in(volume)
    for container in containers_of(pod):
        yield from named_by(container)
    for reference in pod.spec.imagePullSecrets:
        yield Named(SECRET, reference.name)
