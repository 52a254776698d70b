"""Small valid objects for tests of clients: a real server takes them as they are."""

from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod

NAMESPACE = "default"


def config_map(
    name: str, *, namespace: str = NAMESPACE, labels: dict[str, str] | None = None, **data: str
) -> ConfigMap:
    """A ConfigMap."""
    made = ConfigMap(data=data)
    made.metadata.namespace, made.metadata.name = namespace, name
    made.metadata.labels.update(labels or {})
    return made


def pod(name: str, *, namespace: str = NAMESPACE, labels: dict[str, str] | None = None) -> Pod:
    """A pod with one container."""
    made = Pod()
    made.metadata.namespace, made.metadata.name = namespace, name
    made.metadata.labels.update(labels or {})
    made.spec.containers.add(name="main", image="busybox")
    return made


def node(name: str) -> Node:
    """A node."""
    made = Node()
    made.metadata.name = name
    return made


def deployment(name: str, replicas: int) -> Deployment:
    """A deployment of pods labelled `app: <name>`."""
    made = Deployment()
    made.metadata.namespace, made.metadata.name = NAMESPACE, name
    made.spec.replicas = replicas
    made.spec.selector.matchLabels["app"] = name
    made.spec.template.metadata.labels["app"] = name
    made.spec.template.spec.containers.add(name="main", image="busybox")
    return made
