"""What a cluster is started as."""

from __future__ import annotations

import pytest

from kubewire.cluster.errors import InvalidRequest, MissingProgram
from kubewire.cluster.nodes import programs
from kubewire.cluster.settings import Asked, chosen, node_names, require_same
from kubewire.cluster.wanted import Settings

RUNNING = Settings("dev", "none", "together", (), "", "", "", "")


def test_nodes_are_numbered() -> None:
    """One node unless asked otherwise; none without a runtime."""
    assert node_names("containerd", None) == ("node-1",)
    assert node_names("simulated", 3) == ("node-1", "node-2", "node-3")
    assert node_names("none", None) == node_names("none", 0) == ()


def test_without_containerd_nodes_are_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fallback says why; who asked for containerd is refused with what to install."""
    said: list[str] = []

    def missing(program: str) -> str:
        raise MissingProgram(f"{program} is not installed: install it")

    monkeypatch.setattr(programs, "find", missing)
    monkeypatch.setattr("os.geteuid", lambda: 0)
    settings, claims = chosen("dev", Asked(), said.append)
    for one in claims:
        one.close()
    assert (settings.runtime, settings.nodes) == ("simulated", ("node-1",))
    assert "nothing runs: containerd is not installed: install it" in said[0]
    with pytest.raises(MissingProgram, match="--runtime containerd: containerd is not installed"):
        chosen("dev", Asked(runtime="containerd"), said.append)


def test_who_is_not_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root nothing is looked for."""
    said: list[str] = []
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    settings, claims = chosen("dev", Asked(), said.append)
    for one in claims:
        one.close()
    assert settings.runtime == "simulated"
    assert said[0].endswith("network namespaces and containers need root")


@pytest.mark.parametrize(("runtime", "count"), [("none", 1), ("containerd", 0), ("simulated", 101)])
def test_impossible_numbers_are_refused(runtime: str, count: int) -> None:
    """The message names the flag."""
    with pytest.raises(InvalidRequest, match=f"--nodes {count}"):
        node_names(runtime, count)


def test_a_running_cluster_is_not_turned_into_another() -> None:
    """Asking for what runs, or for nothing in particular, is fine; anything else says to end it first."""
    require_same(RUNNING, Asked())
    require_same(RUNNING, Asked(runtime="none", processes="together", nodes=0))
    with pytest.raises(InvalidRequest, match="--processes apart: cluster 'dev' runs with --processes together"):
        require_same(RUNNING, Asked(processes="apart"))
