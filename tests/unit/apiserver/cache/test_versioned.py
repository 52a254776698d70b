"""The version inside an object's bytes."""

import pytest

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.cache.versioned import resource_version_field, with_revision
from tests.unit.apiserver.cache.objects import pod, raw_pod


@pytest.mark.parametrize("revision", [1, 9, 10, 12345, 2**62])
def test_merged_in(revision: int) -> None:
    """Appending the field sets the version and leaves the rest of the metadata alone."""
    parsed = Pod.FromString(raw_pod("a/b", app="web") + resource_version_field(revision))
    assert parsed.metadata.resourceVersion == str(revision)
    assert (parsed.metadata.name, dict(parsed.metadata.labels)) == ("b", {"app": "web"})


def test_with_revision() -> None:
    """Another revision replaces the version instead of piling up."""
    moved = with_revision(pod("a/b", 7), 123)
    assert moved.revision == 123
    assert moved.raw == pod("a/b", 123).raw
