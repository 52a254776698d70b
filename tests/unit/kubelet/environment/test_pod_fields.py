"""Fields of pods as text."""

import pytest

from kubewire.kubelet.environment.pod_fields import Addresses, UnknownField, field_text
from tests.unit.kubelet.manifests import pod_of

ADDRESSES = Addresses(("10.1.0.7", "fd00::7"), ("192.168.0.2",))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("metadata.name", "web"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "uid-1"),
        ("metadata.labels['app.kubernetes.io/name']", "shop"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['it''s']", "quoted"),
        ("metadata.labels", 'app.kubernetes.io/name="shop"\ntier="front"'),
        ("metadata.annotations", 'it\'\'s="quoted"\nlines="a\\n\\"b\\""'),
        ("spec.nodeName", "n1"),
        ("spec.serviceAccountName", "robot"),
        ("status.podIP", "10.1.0.7"),
        ("status.podIPs", "10.1.0.7,fd00::7"),
        ("status.hostIP", "192.168.0.2"),
        ("status.hostIPs", "192.168.0.2"),
    ],
)
def test_fields(path: str, text: str) -> None:
    """Every field that can be had as text is."""
    pod = pod_of("{nodeName: n1, serviceAccountName: robot}")
    pod.metadata.labels.update({"tier": "front", "app.kubernetes.io/name": "shop"})
    pod.metadata.annotations.update({"lines": 'a\n"b"', "it''s": "quoted"})
    assert field_text(pod, path, ADDRESSES) == text


def test_addresses_that_are_not_known_are_empty() -> None:
    """Before a pod has an address there is none to tell."""
    assert field_text(pod_of("{}"), "status.podIP") == ""


@pytest.mark.parametrize("path", ["spec", "metadata.labels['a", "metadata.labels[a]", "spec.containers"])
def test_other_fields_are_refused(path: str) -> None:
    """A path that is none is named."""
    with pytest.raises(UnknownField, match="unsupported fieldPath"):
        field_text(pod_of("{}"), path)
