"""Small objects for tests of the client."""

from kubewire.api.core.v1.pod_pb2 import Pod


def pod(name: str, *, namespace: str = "default", node: str = "", owner: str = "", **labels: str) -> Pod:
    """A pod."""
    made = Pod()
    made.metadata.namespace, made.metadata.name = namespace, name
    made.metadata.labels.update(labels)
    if node:
        made.spec.nodeName = node
    if owner:
        made.metadata.ownerReferences.add(
            apiVersion="apps/v1", kind="ReplicaSet", name="rs", uid=owner, controller=True
        )
    return made
