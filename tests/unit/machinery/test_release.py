"""The release that processes tell."""

import tomllib
from pathlib import Path

from kubewire.machinery.release import VERSION

PROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_is_the_package_that_is_built() -> None:
    """There are two places that name the version, and they agree."""
    assert tomllib.loads(PROJECT.read_text())["project"]["version"] == VERSION
