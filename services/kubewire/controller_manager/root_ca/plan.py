"""The ConfigMap with the cluster's CA. Pure."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.client.informer.cache import copy_of

CONFIG_MAP: Final = "kube-root-ca.crt"
KEY: Final = "ca.crt"


def wanted(namespace: Namespace, existing: ConfigMap | None, certificate: str) -> ConfigMap | None:
    """One to create, or the one that is there with its data put right: pods trust what stands in it."""
    data = {KEY: certificate}
    if existing is None:
        made = ConfigMap(data=data)
        made.metadata.name, made.metadata.namespace = CONFIG_MAP, namespace.metadata.name
        return made
    if dict(existing.data) == data and not existing.binaryData:
        return None
    mended = copy_of(existing)
    mended.data.clear()
    mended.data.update(data)
    mended.binaryData.clear()
    return mended
