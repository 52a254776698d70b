"""Which processes a cluster consists of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from kubewire.cluster import components
from kubewire.cluster.home import Home
from kubewire.cluster.hosting.host import sections
from kubewire.cluster.wanted import Settings

HOME = Home("dev", Path("/home/dev"))
TOGETHER = Settings(
    "dev", "none", "together", (), "127.0.0.1:6443", "127.0.0.1:6444", "", "",
    {"controller-manager": "127.0.0.1:10357", "scheduler": "127.0.0.1:10359"},
    {"controller-manager": "127.0.0.1:10257", "scheduler": "127.0.0.1:10259"},
)  # fmt: skip


def test_together_is_one_process() -> None:
    """The control plane's one process hosts all three components, each with its own settings."""
    plane = components.first(HOME, TOGETHER)
    assert plane.name == "control-plane"
    assert components.second(HOME, TOGETHER) == []
    hosted = {one.name: one.flags for one in sections(plane.command[3:])}
    assert list(hosted) == ["apiserver", "controller-manager", "scheduler"]
    assert "--secure-port=6443" in hosted["apiserver"]
    assert "--etcd-servers=unix:///home/dev/etcd.sock:0" in hosted["apiserver"]
    assert "--grpc-port=10359" in hosted["scheduler"]


def test_apart_each_is_known_by_a_token_of_its_own() -> None:
    """Every component is a process that reaches the API server over TLS, as itself."""
    settings = replace(TOGETHER, processes="apart")
    assert components.first(HOME, settings).name == "apiserver"
    managers = components.second(HOME, settings)
    assert [one.name for one in managers] == ["controller-manager", "scheduler"]
    for one in managers:
        assert "--apiserver=127.0.0.1:6444" in one.command
        assert f"--token-file=/home/dev/pki/{one.name}.token" in one.command
    assert "--root-ca-file=/home/dev/pki/ca.crt" in managers[0].command


def test_port_without_tls_is_on_demand() -> None:
    """The API server serves gRPC without TLS only where that was asked for."""
    assert not [flag for flag in components.first(HOME, TOGETHER).command if "insecure" in flag]
    asked = components.first(HOME, replace(TOGETHER, insecure_grpc="127.0.0.1:6445"))
    assert {"--insecure-grpc=true", "--insecure-grpc-port=6445"} <= set(asked.command)
