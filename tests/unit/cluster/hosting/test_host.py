"""Several components on one command line."""

from __future__ import annotations

import pytest

from kubewire.cluster.hosting.host import Asked, sections
from kubewire.component.errors import ConfigError


def test_each_section_is_a_component_with_its_flags() -> None:
    """`--` separates components; flags belong to the name before them."""
    found = sections(["apiserver", "--secure-port=1", "--", "scheduler", "--", "kubelet", "--a=b", "--c=d"])
    assert found == [
        Asked("apiserver", ("--secure-port=1",)),
        Asked("scheduler", ()),
        Asked("kubelet", ("--a=b", "--c=d")),
    ]


@pytest.mark.parametrize("arguments", [[], ["--"], ["scheduler", "--"], ["etcd"], ["--secure-port=1"]])
def test_unknown_components_are_refused(arguments: list[str]) -> None:
    """A section without a component's name says which names there are."""
    with pytest.raises(ConfigError, match="want one of apiserver, controller-manager"):
        sections(arguments)
