"""References are read as container tools read them."""

import pytest

from kubewire.apiserver.defaults.images import default_pull_policy

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "image",
    ["x", "a/x", "x:latest", "localhost/x", "example.com/x", "Example.com:5000/a/b-c_d/x", "[::1]:5000/x"],
)
def test_latest_is_always_pulled(image: str) -> None:
    """Without tag and digest, or with the tag `latest`, the image may have changed."""
    assert default_pull_policy(image) == "Always"


@pytest.mark.parametrize(
    "image", ["x:1", "example.com:5000/x:v1.2", f"x@{DIGEST}", f"x:1@{DIGEST}", "", "X", "x:", "x y", "x@sha256:12"]
)
def test_other_tags_are_pulled_once(image: str) -> None:
    """A tag or a digest names one image; so does, as far as anyone can tell, what is no reference."""
    assert default_pull_policy(image) == "IfNotPresent"
