"""Objects of tests, written as users write them."""

import textwrap

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.secret_pb2 import Secret
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.yaml_reader import decode_yaml

NAMESPACE = "shop"


def pod_of(spec: str, *, name: str = "web", uid: str = "uid-1") -> Pod:
    """A pod of the namespace `shop` with this spec, in YAML."""
    body = decode_yaml(textwrap.dedent(spec).encode())[0]
    pod = decode({"apiVersion": "v1", "kind": "Pod", "spec": body}, Pod)
    pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = name, NAMESPACE, uid
    return pod


def config_map(name: str, namespace: str = NAMESPACE, **data: str) -> ConfigMap:
    """A ConfigMap."""
    made = ConfigMap(data=data)
    made.metadata.name, made.metadata.namespace = name, namespace
    return made


def secret(name: str, namespace: str = NAMESPACE, **data: bytes) -> Secret:
    """A Secret."""
    made = Secret(data=data)
    made.metadata.name, made.metadata.namespace = name, namespace
    return made


def service(name: str, address: str, *ports: tuple[str, int], namespace: str = NAMESPACE) -> Service:
    """A Service with named ports; an empty name is none."""
    made = Service()
    made.metadata.name, made.metadata.namespace = name, namespace
    made.spec.clusterIP = address
    for port_name, number in ports:
        made.spec.ports.add(name=port_name, port=number, protocol="TCP")
    return made
