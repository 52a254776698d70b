"""What a pod names."""

from kubewire.kubelet.environment.named import CONFIG_MAP, SECRET, Named
from kubewire.kubelet.volumes.references import references_of
from tests.unit.kubelet.manifests import pod_of


def test_everything_a_pod_names() -> None:
    """Volumes, variables of all sorts of containers, and pull secrets."""
    pod = pod_of("""
        imagePullSecrets: [{name: registry}]
        volumes:
        - {name: a, configMap: {name: a}}
        - {name: b, projected: {sources: [{secret: {name: b}}]}}
        initContainers: [{name: i, envFrom: [{configMapRef: {name: c}}]}]
        containers:
        - name: main
          envFrom: [{secretRef: {name: d}}]
          env:
          - {name: E, valueFrom: {configMapKeyRef: {name: e, key: k}}}
          - {name: F, valueFrom: {secretKeyRef: {name: f, key: k}}}
          - {name: G, value: g}
        ephemeralContainers: [{name: x, envFrom: [{configMapRef: {name: h}}]}]
    """)
    assert references_of(pod) == {
        Named(SECRET, "registry"),
        Named(CONFIG_MAP, "a"),
        Named(SECRET, "b"),
        Named(CONFIG_MAP, "c"),
        Named(SECRET, "d"),
        Named(CONFIG_MAP, "e"),
        Named(SECRET, "f"),
        Named(CONFIG_MAP, "h"),
    }
