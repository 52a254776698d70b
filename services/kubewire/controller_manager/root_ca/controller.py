"""The root CA publisher: `kube-root-ca.crt` in every namespace."""

from __future__ import annotations

from typing import Final

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.namespace_pb2 import Namespace
from kubewire.controller_manager.context import Context, Loops
from kubewire.controller_manager.namespace_content import NamespaceContent
from kubewire.controller_manager.root_ca.plan import CONFIG_MAP, wanted

NAME: Final = "root-ca-certificate-publisher-controller"


def make(context: Context) -> Loops:
    """The loop."""
    certificate = context.root_ca

    def with_certificate(namespace: Namespace, existing: ConfigMap | None) -> ConfigMap | None:
        return wanted(namespace, existing, certificate) if certificate else None

    return NamespaceContent(context, NAME, ConfigMap, CONFIG_MAP, with_certificate)
