"""Where things of pods lie."""

from pathlib import Path

import pytest

from kubewire.kubelet.volumes.layout import Layout


def test_upstreams_names(tmp_path: Path) -> None:
    """Whoever knows a kubelet's folders finds the way in ours."""
    layout = Layout(tmp_path)
    assert layout.volume("u1", "configmap", "v") == tmp_path / "pods/u1/volumes/kubernetes.io~configmap/v"
    assert layout.sub_path("u1", "v", "main", 2) == tmp_path / "pods/u1/volume-subpaths/v/main/2"


def test_the_true_path_of_the_root(tmp_path: Path) -> None:
    """The kernel tells of mounts by paths without symlinks, and so do we."""
    (tmp_path / "true").mkdir()
    (tmp_path / "link").symlink_to("true")
    assert Layout(tmp_path / "link").pod("u1") == tmp_path / "true/pods/u1"


def test_what_is_known(tmp_path: Path) -> None:
    """Folders of pods, and nothing before there is one."""
    layout = Layout(tmp_path)
    assert layout.known() == set()
    layout.make_above(layout.volume("u1", "secret", "v"))
    (layout.pods / "file").touch()
    assert layout.known() == {"u1"}


@pytest.mark.parametrize("uid", ["", ".", "..", "a/b", "/etc"])
def test_uids_that_lead_elsewhere(tmp_path: Path, uid: str) -> None:
    """They are refused: what is removed by its uid must be a pod's."""
    with pytest.raises(ValueError, match="is no uid of a pod"):
        Layout(tmp_path).pod(uid)
