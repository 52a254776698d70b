"""The node's object."""

import pytest

from kubewire.component.errors import ConfigError
from kubewire.kubelet.config import KubeletConfig
from kubewire.kubelet.node.registration import SIMULATED, first_node, labels_of, taints_of, taken_over


def test_a_node_registers_with_its_labels_and_taints() -> None:
    """Kubernetes' own labels, and those of the settings."""
    config = KubeletConfig(node_labels=("disk=ssd",), register_with_taints=("gpu=yes:NoSchedule", "busy:NoExecute"))
    labels = labels_of(config, "n1", "amd64")
    assert labels["kubernetes.io/hostname"] == "n1"
    assert labels["kubernetes.io/arch"] == labels["beta.kubernetes.io/arch"] == "amd64"
    assert labels["disk"] == "ssd"
    node = first_node("n1", labels, taints_of(config), is_simulated=True)
    assert [(one.key, one.value, one.effect) for one in node.spec.taints] == [
        ("gpu", "yes", "NoSchedule"),
        ("busy", "", "NoExecute"),
    ]
    assert node.metadata.annotations[SIMULATED] == "true"


@pytest.mark.parametrize("taint", ["busy", "busy:Never", ":NoExecute"])
def test_a_taint_that_is_none_is_refused(taint: str) -> None:
    """With what would be right."""
    with pytest.raises(ConfigError, match="register_with_taints: want key=value:effect"):
        taints_of(KubeletConfig(register_with_taints=(taint,)))


def test_a_label_that_is_none_is_refused() -> None:
    """Likewise."""
    with pytest.raises(ConfigError, match="node_labels: want name=value"):
        labels_of(KubeletConfig(node_labels=("disk",)), "n1", "amd64")


def test_a_known_node_keeps_what_others_gave_it() -> None:
    """Only our labels are set again, and only if they differ."""
    labels = labels_of(KubeletConfig(), "n1", "amd64")
    node = first_node("n1", labels, [], is_simulated=False)
    assert taken_over(node, labels) is None
    node.metadata.labels["kubernetes.io/arch"] = "other"
    node.metadata.labels["team"] = "bakery"
    node.spec.unschedulable = True
    changed = taken_over(node, labels)
    assert changed is not None
    assert changed.metadata.labels["kubernetes.io/arch"] == "amd64"
    assert changed.metadata.labels["team"] == "bakery"
    assert changed.spec.unschedulable
