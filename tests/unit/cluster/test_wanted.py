"""The file that says what is to run."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubewire.cluster import wanted
from kubewire.cluster.home import Home
from kubewire.cluster.supervision.component import Component
from kubewire.cluster.wanted import Settings, Wanted

SETTINGS = Settings("dev", "none", "apart", ("node-1",), "127.0.0.1:1", "127.0.0.1:2", "", "", {"scheduler": "x:1"})
WANTED = Wanted(SETTINGS, (Component("etcd", ("etcd", "--a"), stale=("socket",)), Component("scheduler", ("s",))))


def test_wanted_survives_the_file(tmp_path: Path) -> None:
    """What was written is read."""
    home = Home("dev", tmp_path)
    wanted.write(home, WANTED)
    assert wanted.read(home) == WANTED


@pytest.mark.parametrize("content", [b"", b"[]", b'{"settings": {}, "components": []}', b'{"settings": 1}'])
def test_damaged_file_is_none(tmp_path: Path, content: bytes) -> None:
    """A file that cannot be read is as good as none."""
    home = Home("dev", tmp_path)
    home.wanted.write_bytes(content)
    assert wanted.read(home) is None


def test_stopping_names_only_those() -> None:
    """Marking one component as stopped leaves the others, and can be taken back."""
    stopped = WANTED.stopping(frozenset({"scheduler"}), is_stopped=True)
    assert [one.is_stopped for one in stopped.components] == [False, True]
    assert stopped.stopping(frozenset({"scheduler"}), is_stopped=False) == WANTED
