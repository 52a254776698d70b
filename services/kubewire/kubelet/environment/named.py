"""Which ConfigMaps and Secrets a container's variables come from, and getting them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, NamedTuple

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.env_pb2 import EnvFromSource, EnvVar
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.kubelet.contracts import Objects
from kubewire.machinery.errors import Reason, StatusError

CONFIG_MAP: Final = "configmap"
SECRET: Final = "secret"  # noqa: S105 - the name of a kind


class Named(NamedTuple):
    """An object that is named somewhere in a pod; `kind` is in the form messages use."""

    kind: str
    name: str


def named_by(container: Container) -> Iterator[Named]:
    """What the variables of a container name, repeats included."""
    for source in container.envFrom:
        yield _of_source(source)
    for variable in container.env:
        found = _of_variable(variable)
        if found is not None:
            yield found


def _of_source(source: EnvFromSource) -> Named:
    if source.HasField("configMapRef"):
        return Named(CONFIG_MAP, source.configMapRef.localObjectReference.name)
    return Named(SECRET, source.secretRef.localObjectReference.name)


def _of_variable(variable: EnvVar) -> Named | None:
    value = variable.valueFrom
    if value.HasField("configMapKeyRef"):
        return Named(CONFIG_MAP, value.configMapKeyRef.localObjectReference.name)
    if value.HasField("secretKeyRef"):
        return Named(SECRET, value.secretKeyRef.localObjectReference.name)
    return None


Found = dict[Named, ConfigMap | Secret | StatusError]
"""What was got for each name: the object, or why not."""


async def fetch(objects: Objects, namespace: str, names: set[Named]) -> Found:
    """Get them side by side."""
    ordered = sorted(names)
    results = await asyncio.gather(*(_get(objects, namespace, named) for named in ordered))
    return dict(zip(ordered, results, strict=True))


async def _get(objects: Objects, namespace: str, named: Named) -> ConfigMap | Secret | StatusError:
    try:
        if named.kind == CONFIG_MAP:
            return await objects.config_map(namespace, named.name)
        return await objects.secret(namespace, named.name)
    except StatusError as error:
        return error


def why_not(named: Named, error: StatusError) -> str:
    """Why an object could not be had, as users know it from pods that wait for one."""
    return f'{named.kind} "{named.name}" not found' if error.reason == Reason.NOT_FOUND else str(error)
