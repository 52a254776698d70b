"""Files that change all at once, on a real disk."""

import os
import stat
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubewire.kubelet.volumes import atomic_files
from kubewire.kubelet.volumes.atomic_files import DATA, write_files
from kubewire.kubelet.volumes.payload import File, Payload

FILES: Payload = {"color": File(b"blue", 0o644), "certs/ca.crt": File(b"pem", 0o400)}


def seen(folder: Path) -> dict[str, bytes]:
    """What programs see: all files but the volume's own, through its symlinks."""
    found = {}
    for above, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith("..")]
        for name in names:
            path = Path(above, name)
            if not name.startswith(".."):
                found[str(path.relative_to(folder))] = path.read_bytes()
    return found


def versions(folder: Path) -> list[str]:
    """Folders of versions that are there."""
    return [path.name for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]


def test_files_and_their_modes(tmp_path: Path) -> None:
    """Every file is at its path with its bytes and mode, whatever the umask is."""
    mask = os.umask(0o077)
    try:
        assert write_files(tmp_path, FILES)
    finally:
        os.umask(mask)
    assert seen(tmp_path) == {"color": b"blue", "certs/ca.crt": b"pem"}
    assert stat.S_IMODE((tmp_path / "color").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "certs/ca.crt").stat().st_mode) == 0o400
    assert stat.S_IMODE((tmp_path / "certs").stat().st_mode) == 0o755
    assert (tmp_path / "color").readlink() == Path("..data/color")


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    """A volume that holds its files is left alone."""
    write_files(tmp_path, FILES)
    before = versions(tmp_path)
    assert not write_files(tmp_path, FILES)
    assert versions(tmp_path) == before


@pytest.mark.parametrize(
    "changed",
    [
        {**FILES, "color": File(b"red", 0o644)},
        {**FILES, "color": File(b"blue", 0o600)},
        {**FILES, "color": File(b"blue", 0o644, uid=7)},
        {**FILES, "more": File(b"", 0o644)},
        {"color": FILES["color"]},
        {},
    ],
)
def test_changes(tmp_path: Path, changed: Payload) -> None:
    """Bytes, modes, owners, more files and fewer: there is one version afterwards, the new one."""
    write_files(tmp_path, FILES)
    assert write_files(tmp_path, changed)
    assert seen(tmp_path) == {path: file.data for path, file in changed.items()}
    assert len(versions(tmp_path)) == 1
    for path, file in changed.items():
        status = (tmp_path / path).stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (file.mode, file.uid or 0)


def test_who_holds_a_version_reads_that_version(tmp_path: Path) -> None:
    """A folder that was opened through `..data` before a change is empty afterwards, never mixed."""
    write_files(tmp_path, FILES)
    held = os.open(tmp_path / DATA, os.O_RDONLY | os.O_DIRECTORY)
    try:
        write_files(tmp_path, {"color": File(b"red", 0o644)})
        assert not list(os.scandir(held))
    finally:
        os.close(held)
    assert (tmp_path / "color").read_bytes() == b"red"


def test_files_of_a_group(tmp_path: Path) -> None:
    """A group can read all files whatever their modes say, and enter all folders."""
    write_files(tmp_path, FILES, group=2000)
    status = (tmp_path / "certs/ca.crt").stat()
    assert (status.st_gid, stat.S_IMODE(status.st_mode)) == (2000, 0o440)
    folder = (tmp_path / "certs").stat()
    assert (folder.st_gid, folder.st_mode & 0o2050) == (2000, 0o2050)
    assert not write_files(tmp_path, FILES, group=2000)
    assert write_files(tmp_path, FILES, group=3000)


@pytest.mark.parametrize("step", ["_write_version", "_exchange", "_link", "_sweep"])
@pytest.mark.parametrize("at", ["before", "after"])
def test_a_crash_at_any_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, at: str) -> None:
    """Whenever it dies, each file that is seen is of one version, and the next write leaves nothing of it behind."""
    write_files(tmp_path, FILES)
    after: Payload = {"color": File(b"red", 0o644), "certs/ca.crt": File(b"new", 0o400)}
    whole = getattr(atomic_files, step)

    def dies(*arguments: object) -> None:
        if at == "after":
            whole(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(atomic_files, step, dies)
        with pytest.raises(KeyboardInterrupt):
            write_files(tmp_path, after)
    assert seen(tmp_path) in ({path: file.data for path, file in files.items()} for files in (FILES, after))
    final: Payload = {"other": File(b"x", 0o644)}
    write_files(tmp_path, final)
    assert seen(tmp_path) == {"other": b"x"}
    assert len(versions(tmp_path)) == 1


def test_a_half_written_version_is_removed(tmp_path: Path) -> None:
    """Leftovers of a crash do not pile up, and a symlink that was not exchanged yet is no obstacle."""
    write_files(tmp_path, FILES)
    (tmp_path / "..2020_01_01_00_00_00.000000000").mkdir()
    (tmp_path / "..2020_01_01_00_00_00.000000000" / "color").write_text("half")
    (tmp_path / "..data_tmp").symlink_to("..2020_01_01_00_00_00.000000000")
    write_files(tmp_path, {"color": File(b"red", 0o644)})
    assert seen(tmp_path) == {"color": b"red"}
    assert len(versions(tmp_path)) == 1


NAMES = st.sampled_from(["a", "b", "folder/a", "folder/b", "folder/deep/c", "other/d"])
PAYLOADS = st.dictionaries(
    NAMES, st.builds(File, st.binary(max_size=8), st.sampled_from([0o644, 0o400, 0o777]), st.none()), max_size=5
)


@settings(max_examples=20, deadline=None)
@given(st.lists(PAYLOADS, min_size=1, max_size=6))
def test_any_story_ends_with_its_last_version(payloads: list[Payload]) -> None:
    """Whatever a volume held before, it holds just the files it should, and nothing else is left in it."""
    with tempfile.TemporaryDirectory(prefix="kw-") as name:
        folder = Path(name)
        for payload in payloads:
            write_files(folder, payload)
            assert seen(folder) == {path: file.data for path, file in payload.items()}
            assert len(versions(folder)) == 1
            modes = {path: stat.S_IMODE((folder / path).stat().st_mode) for path in payload}
            assert modes == {path: file.mode for path, file in payload.items()}
