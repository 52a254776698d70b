"""Which etcd is run, and how."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kubewire.cluster.etcd_program import EtcdProgram, arguments, find_etcd


def program(folder: Path) -> Path:
    """An executable called etcd."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "etcd"
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An etcd on PATH is taken, and loses nothing in a crash."""
    path = program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(path.parent))
    assert find_etcd() == EtcdProgram(path, may_lose_data=False)


def test_launcher_beside_the_interpreter_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a Python package put into the virtual environment starts the bundled release, so it is not taken."""
    launcher = program(tmp_path / "venv" / "bin")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setenv("PATH", str(launcher.parent))
    assert find_etcd().may_lose_data


def test_listens_on_sockets_alone(tmp_path: Path) -> None:
    """A local member opens no TCP port: whoever reaches etcd reads every Secret."""
    command = arguments(EtcdProgram(Path("/usr/bin/etcd"), may_lose_data=False), tmp_path / "etcd")
    urls = [item for item in command if "://" in item]
    assert urls
    assert all("unix://" in item and "http" not in item for item in urls)
