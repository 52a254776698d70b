"""Kinds of volumes."""

import pytest

from kubewire.api.core.v1.volume_pb2 import Volume
from kubewire.kubelet.volumes.sources import is_read_only, plugin_of, refusal_of
from tests.unit.kubelet.manifests import pod_of


def volume(source: str) -> Volume:
    """A volume with this source, in YAML."""
    return pod_of(f"volumes: [{{name: v, {source}}}]").spec.volumes[0]


@pytest.mark.parametrize(
    ("source", "plugin", "read_only"),
    [
        ("emptyDir: {}", "empty-dir", False),
        ("configMap: {name: a}", "configmap", True),
        ("secret: {secretName: a}", "secret", True),
        ("projected: {}", "projected", True),
        ("downwardAPI: {}", "downward-api", True),
        ("hostPath: {path: /x}", "host-path", False),
    ],
)
def test_kinds_that_are_had(source: str, plugin: str, read_only: bool) -> None:  # noqa: FBT001 - a row
    """Each has its name on disk; what is made of objects is not for containers to write to."""
    spec = volume(source)
    assert (plugin_of(spec), is_read_only(spec), refusal_of(spec)) == (plugin, read_only, "")


@pytest.mark.parametrize(
    "source", ["persistentVolumeClaim: {claimName: a}", "image: {reference: a}", "csi: {driver: a}"]
)
def test_other_kinds_are_refused(source: str) -> None:
    """The message names the kind and those that are had."""
    refusal = refusal_of(volume(source))
    assert refusal.startswith(f"{source.partition(':')[0]} volumes are not supported; want one of emptyDir, configMap")
