"""Where things of containers lie."""

from pathlib import Path

from kubewire.kubelet.pods.folders import Folders
from kubewire.kubelet.runtime.contracts import PodIdentity

POD = PodIdentity("uid-1", "shop", "web")


def test_logs_lie_as_cri_wants_it(tmp_path: Path) -> None:
    """And are found again by whoever comes after."""
    folders = Folders(tmp_path)
    folders.make_log_folder(POD, "app")
    log = folders.log_file(POD, "app", 2)
    assert log == tmp_path / "logs/pods/shop_web_uid-1/app/2.log"
    assert list(Folders(tmp_path).pods_with_logs()) == [POD]
    for name in ("2.log", "2.log.20260101-000000", "12.log"):
        (log.parent / name).touch()
    folders.remove_log(POD, "app", 2)
    assert [path.name for path in log.parent.iterdir()] == ["12.log"]
    folders.remove_logs(POD)
    folders.remove_logs(POD)
    assert list(folders.pods_with_logs()) == []


def test_names_with_dots_and_dashes_are_told_apart(tmp_path: Path) -> None:
    """Namespaces and names have no underscore."""
    folders = Folders(tmp_path)
    pod = PodIdentity("0-1", "kube-system", "web-0.example")
    folders.make_log_folder(pod)
    assert list(folders.pods_with_logs()) == [pod]


def test_a_message_file_can_be_written_by_anybody(tmp_path: Path) -> None:
    """Each container has another; the folders above are the kubelet's alone."""
    folders = Folders(tmp_path)
    first, second = (folders.make_message_file("uid-1", "app") for _ in range(2))
    assert first != second
    assert first.stat().st_mode & 0o777 == 0o666
    assert first.parent.parent.parent.stat().st_mode & 0o007 == 0


def test_the_hosts_file_is_changed_in_place(tmp_path: Path) -> None:
    """Running containers have this very file mounted."""
    folders = Folders(tmp_path)
    path = folders.write_hosts("uid-1", "one\n")
    inode = path.stat().st_ino
    folders.write_hosts("uid-1", "two\n")
    assert (path.read_text(), path.stat().st_ino) == ("two\n", inode)
