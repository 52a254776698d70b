"""The table of tokens."""

from __future__ import annotations

import stat
from pathlib import Path

from kubewire.cluster import tokens
from kubewire.cluster.home import Home


def test_everybody_has_a_token_of_their_own(tmp_path: Path) -> None:
    """Admin, components and each node are known by different tokens, which only their owner can read."""
    home = Home("dev", tmp_path)
    home.create()
    tokens.ensure(home, ["node-1", "node-2"])
    files = [home.token, *sorted(home.pki.glob("*.token"))]
    names = ["controller-manager", "kube-proxy", "kubelet-node-1", "kubelet-node-2", "scheduler"]
    assert [path.stem for path in files[1:]] == names
    assert len({path.read_text() for path in files}) == len(files)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*files, home.token_table)} == {0o600}


def test_tokens_stay(tmp_path: Path) -> None:
    """A second start, with more nodes, changes nothing for those who were there."""
    home = Home("dev", tmp_path)
    home.create()
    tokens.ensure(home, ["node-1"])
    before = {path: path.read_text() for path in (home.token, *home.pki.glob("*.token"))}
    tokens.ensure(home, ["node-1", "node-2"])
    assert {path: path.read_text() for path in before} == before
    assert "system:node:node-2" in home.token_table.read_text()


def test_rows_of_others_are_kept() -> None:
    """Who was added to the table by hand stays known; groups of ours are brought up to date."""
    text = 'abc,alice,alice,"devs,ops"\nold,admin,admin,"nobody"\n'
    table, known = tokens.merged(text, [tokens.ADMIN])
    assert table == 'abc,alice,alice,"devs,ops"\nold,admin,admin,system:masters\n'
    assert known == {"alice": "abc", "admin": "old"}
