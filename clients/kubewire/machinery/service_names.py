"""How the typed services and their methods are called: `kubewire.rpc.core.v1.PodService`, `CreatePods`.

Names follow from the resource table alone, so that a server can route a call and a client can make one without
loading the generated module of the kind.
"""

from __future__ import annotations

from typing import Final

from kubewire.machinery.resources import Resource

OBJECT_SERVICE: Final = "kubewire.rpc.v1.ObjectService"


def many(resource: Resource) -> str:
    """The kind's plural in upper camel case: `EndpointSlices`, `NetworkPolicies`.

    `Endpoints` is its own plural; it gets a name that can be told from the singular.
    """
    singular = resource.kind.lower()
    if resource.plural == singular:
        return resource.kind + "Objects"
    if resource.plural.startswith(singular):
        return resource.kind + resource.plural[len(singular) :]
    return resource.kind[:-1] + "ies"


def package(resource: Resource) -> str:
    """Proto package of the kind's service: `kubewire.rpc.core.v1`."""
    return f"kubewire.rpc.{resource.message.split('.')[-3]}.{resource.version}"


def service(resource: Resource) -> str:
    """Full name of the kind's service: `kubewire.rpc.core.v1.PodService`."""
    return f"{package(resource)}.{resource.kind}Service"
