"""Rules about .proto files: where a file lies follows from its package."""

import re
from pathlib import Path

from tests.layout.source_files import ROOT, expect_none, tracked_files

# Peers' packages keep their wire names; everything else is named by its folder.
PEERS = {"etcd", "cri", "containerd"}
UPSTREAM_PREFIXES = (
    "k8s.io.api",
    "k8s.io.apimachinery.pkg",
    "k8s.io.apimachinery.pkg.api",
    "k8s.io.apimachinery.pkg.apis",
    "k8s.io.apimachinery.pkg.util",
    "k8s.io.apiextensions_apiserver.pkg.apis",
    "k8s.io.kube_aggregator.pkg.apis",
    "k8s.io.metrics.pkg.apis",
)
PACKAGE = re.compile(r"^package ([\w.]+);$", re.MULTILINE)


def proto_files() -> list[Path]:
    """The .proto files of the project, relative to protos/."""
    return [path.relative_to("protos") for path in tracked_files() if path.suffix == ".proto"]


def expected_packages(folder: Path) -> set[str]:
    """The packages a file in this folder may have; empty where the peer decides."""
    dotted = ".".join(folder.parts)
    match folder.parts[1]:
        case "api":
            group_version = ".".join(folder.parts[2:])
            return {f"{prefix}.{group_version}" for prefix in UPSTREAM_PREFIXES}
        case tree if tree in PEERS:
            return set()
        case _:
            return {dotted}


def test_protos_exist() -> None:
    """There are .proto files, all below protos/kubewire."""
    files = proto_files()
    assert files
    expect_none(f"protos/{path}: belongs below protos/kubewire" for path in files if path.parts[0] != "kubewire")


def test_folder_follows_from_package() -> None:
    """kubewire/api/<group>/<version> holds upstream's package of that group and version; ours are named by folder."""
    expect_none(
        f"protos/{path}: package {package}, expected {' or '.join(sorted(expected))}"
        for path in proto_files()
        if (expected := expected_packages(path.parent))
        for package in PACKAGE.findall((ROOT / "protos" / path).read_text(encoding="utf-8"))
        if package not in expected
    )


def test_every_file_has_a_package() -> None:
    """Every .proto file declares exactly one package."""
    expect_none(
        f"protos/{path}: declare one package"
        for path in proto_files()
        if len(PACKAGE.findall((ROOT / "protos" / path).read_text(encoding="utf-8"))) != 1
    )
