"""What a pod refers to, and its node therefore may read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kubewire.api.core.v1.container_pb2 import Container, EphemeralContainerCommon
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.core.v1.volume_pb2 import VolumeSource


class Reference(NamedTuple):
    """An object of the core group by the plural of its kind, in the pod's namespace."""

    plural: str
    name: str


def references_of(pod: Pod) -> frozenset[Reference]:
    """Everything the pod names: its account, and what its volumes and environment are made from."""
    return frozenset(one for one in _named(pod) if one.name)


def _named(pod: Pod) -> Iterator[Reference]:
    spec = pod.spec
    yield Reference("serviceaccounts", spec.serviceAccountName)
    for secret in spec.imagePullSecrets:
        yield Reference("secrets", secret.name)
    for volume in spec.volumes:
        source = volume.volumeSource
        yield from _of_volume(source)
        if source.HasField("ephemeral"):
            yield Reference("persistentvolumeclaims", f"{pod.metadata.name}-{volume.name}")
    yield from _of_containers(chain(spec.initContainers, spec.containers))
    for ephemeral in spec.ephemeralContainers:
        yield from _of_environment(ephemeral.ephemeralContainerCommon)


def _of_volume(source: VolumeSource) -> Iterator[Reference]:
    yield Reference("secrets", source.secret.secretName)
    yield Reference("configmaps", source.configMap.localObjectReference.name)
    yield Reference("persistentvolumeclaims", source.persistentVolumeClaim.claimName)
    for part in source.projected.sources:
        yield Reference("secrets", part.secret.localObjectReference.name)
        yield Reference("configmaps", part.configMap.localObjectReference.name)
    yield Reference("secrets", source.azureFile.secretName)
    yield Reference("secrets", source.csi.nodePublishSecretRef.name)
    for of_driver in (source.cephfs, source.cinder, source.flexVolume, source.iscsi, source.rbd, source.scaleIO):
        yield Reference("secrets", of_driver.secretRef.name)
    yield Reference("secrets", source.storageos.secretRef.name)


def _of_containers(containers: Iterable[Container]) -> Iterator[Reference]:
    for container in containers:
        yield from _of_environment(container)


def _of_environment(container: Container | EphemeralContainerCommon) -> Iterator[Reference]:
    for variable in container.env:
        yield Reference("secrets", variable.valueFrom.secretKeyRef.localObjectReference.name)
        yield Reference("configmaps", variable.valueFrom.configMapKeyRef.localObjectReference.name)
    for group in container.envFrom:
        yield Reference("secrets", group.secretRef.localObjectReference.name)
        yield Reference("configmaps", group.configMapRef.localObjectReference.name)
