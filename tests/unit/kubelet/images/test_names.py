"""Names of images."""

import pytest

from kubewire.kubelet.images.names import default_policy, repository_of, tag_of


@pytest.mark.parametrize(
    ("image", "repository", "tag", "policy"),
    [
        ("busybox", "docker.io/library/busybox", "", "Always"),
        ("busybox:1.36", "docker.io/library/busybox", "1.36", "IfNotPresent"),
        ("busybox:latest", "docker.io/library/busybox", "latest", "Always"),
        ("team/app:1", "docker.io/team/app", "1", "IfNotPresent"),
        ("localhost/app", "localhost/app", "", "Always"),
        ("r.example:5000/team/app:1", "r.example:5000/team/app", "1", "IfNotPresent"),
        ("r.example:5000/app", "r.example:5000/app", "", "Always"),
        ("app@sha256:0123", "docker.io/library/app", "", "IfNotPresent"),
        ("r.example/app:1@sha256:0123", "r.example/app", "1", "IfNotPresent"),
    ],
)
def test_names(image: str, repository: str, tag: str, policy: str) -> None:
    """Written out as registries know them; a tag that moves is asked for each time."""
    assert (repository_of(image), tag_of(image), default_policy(image)) == (repository, tag, policy)
