"""Where a cluster keeps its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubewire.cluster.errors import InvalidRequest
from kubewire.cluster.home import locate


def test_default_lies_in_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without KUBEWIRE_HOME a cluster lives in ~/.kubewire/<name>."""
    monkeypatch.delenv("KUBEWIRE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert locate("dev").path == Path("/home/somebody/.kubewire/dev")


def test_environment_names_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """KUBEWIRE_HOME is the cluster's folder itself."""
    monkeypatch.setenv("KUBEWIRE_HOME", str(tmp_path / "x"))
    assert locate("dev").kubeconfig == tmp_path / "x" / "kubeconfig"


@pytest.mark.parametrize("name", ["", "Dev", "a/b", "..", "-a", "a-", "a" * 41])
def test_name_must_be_a_label(name: str) -> None:
    """Names that would escape the folder or be no DNS label are refused, with an example of a right one."""
    with pytest.raises(InvalidRequest, match="such as 'dev'"):
        locate(name)


def test_path_must_leave_room_for_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose sockets' paths would not fit in 108 bytes is refused before anything starts."""
    monkeypatch.setenv("KUBEWIRE_HOME", "/" + "x" * 100)
    with pytest.raises(InvalidRequest, match="too long for sockets"):
        locate("dev")


def test_folders_are_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the owner may look into what holds the token and etcd's socket."""
    monkeypatch.setenv("KUBEWIRE_HOME", str(tmp_path / "home"))
    home = locate("dev")
    home.create()
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert home.pki.stat().st_mode & 0o777 == 0o700
