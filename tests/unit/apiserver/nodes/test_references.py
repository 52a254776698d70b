"""What pods refer to."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.nodes.references import references_of
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.json_value import JsonObject


def referred(spec: JsonObject) -> set[str]:
    """`plural/name` of everything that pod p refers to."""
    pod = decode({"metadata": {"name": "p"}, "spec": spec}, Pod)
    return {f"{plural}/{name}" for plural, name in references_of(pod)}


def test_volumes() -> None:
    """Of every kind that is made from an object."""
    found = referred(
        {
            "serviceAccountName": "a",
            "imagePullSecrets": [{"name": "pull"}],
            "volumes": [
                {"name": "1", "secret": {"secretName": "s1"}},
                {"name": "2", "configMap": {"name": "c1"}},
                {"name": "3", "persistentVolumeClaim": {"claimName": "v1"}},
                {"name": "4", "ephemeral": {}},
                {"name": "5", "projected": {"sources": [{"secret": {"name": "s2"}}, {"configMap": {"name": "c2"}}]}},
                {"name": "6", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "s3"}}},
                {"name": "7", "azureFile": {"secretName": "s4", "shareName": "x"}},
                {"name": "8", "iscsi": {"secretRef": {"name": "s5"}}},
                {"name": "9", "emptyDir": {}},
            ],
        }
    )
    claims = {"persistentvolumeclaims/v1", "persistentvolumeclaims/p-4"}
    maps = {"configmaps/c1", "configmaps/c2"}
    secrets = {f"secrets/{name}" for name in ("pull", "s1", "s2", "s3", "s4", "s5")}
    assert found == {"serviceaccounts/a", *claims, *maps, *secrets}


def test_environments() -> None:
    """Of all containers: initial, ordinary, ephemeral."""

    def container(name: str) -> JsonObject:
        return {
            "name": name,
            "envFrom": [{"secretRef": {"name": f"{name}-from"}}, {"configMapRef": {"name": f"{name}-from"}}],
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": f"{name}-key", "key": "k"}}},
                {"name": "B", "valueFrom": {"configMapKeyRef": {"name": f"{name}-key", "key": "k"}}},
                {"name": "C", "value": "v"},
            ],
        }

    spec: JsonObject = {
        "initContainers": [container("i")],
        "containers": [container("c")],
        "ephemeralContainers": [container("e")],
    }
    names = [f"{name}-{part}" for name in "ice" for part in ("from", "key")]
    assert referred(spec) == {f"{plural}/{name}" for plural in ("secrets", "configmaps") for name in names}
