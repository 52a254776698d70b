"""Which build runs."""

from prometheus_client.parser import text_string_to_metric_families

from kubewire.component.metrics.build import add_build_info
from kubewire.component.metrics.registry import Registry


def test_the_version_is_kubernetes_with_ours() -> None:
    """A semantic version that tells both, under Kubernetes' labels."""
    registry = Registry()
    add_build_info(registry)
    [family] = text_string_to_metric_families(registry.render().decode())
    [sample] = family.samples
    assert sample.value == 1
    assert (sample.labels["major"], sample.labels["minor"]) == ("1", "36")
    assert sample.labels["git_version"].startswith("v1.36.2+kubewire-")
    assert set(sample.labels) == {
        "build_date", "compiler", "git_commit", "git_tree_state", "git_version", "go_version", "major", "minor",
        "platform",
    }  # fmt: skip
