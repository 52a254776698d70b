"""What a node's containerd is told."""

import tomllib
from typing import cast

import pytest

from kubewire.cluster.nodes.containerd_config import Machine, render
from tests.unit.cluster.nodes.places import place

MACHINE = Machine(may_lower_oom_score=True, snapshotter="overlayfs", plugins="/usr/lib/cni")


def cri(machine: Machine = MACHINE) -> dict[str, object]:
    """The CRI service's section of a node's configuration."""
    told = tomllib.loads(render(place(), machine, "localhost/pause:1").decode())
    return cast("dict[str, object]", told["plugins"]["io.containerd.grpc.v1.cri"])


def test_everything_is_the_nodes_own() -> None:
    """Every path in the configuration is below the node's home, apart from the folder of the plugins."""
    text = render(place(), MACHINE, "localhost/pause:1").decode()
    paths = [word for word in text.split('"') if word.startswith("/")]
    assert len(paths) == 8
    assert [path for path in paths if not path.startswith("/home/user/.kubewire/dev/")] == ["/usr/lib/cni"]


def test_sections() -> None:
    """The file is TOML, with the sandbox image and the runtime's own root."""
    assert cri()["sandbox_image"] == "localhost/pause:1"
    containerd = cast("dict[str, dict[str, dict[str, object]]]", cri()["containerd"])
    assert containerd["runtimes"]["runc"]["runtime_type"] == "io.containerd.runc.v2"
    assert cri()["netns_mounts_under_state_dir"] is True


@pytest.mark.parametrize("may_lower", [True, False])
def test_oom_scores(*, may_lower: bool) -> None:
    """Scores are restricted where the machine lets nobody lower them."""
    assert cri(Machine(may_lower, "overlayfs", "/cni"))["restrict_oom_score_adj"] is not may_lower


def test_snapshotter() -> None:
    """Where the home lies on an overlay, snapshots are copies."""
    assert cast("dict[str, object]", cri(Machine(True, "native", "/cni"))["containerd"])["snapshotter"] == "native"
