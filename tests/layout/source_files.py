"""Which files the rules of the house apply to: what people wrote and git holds or would hold."""

import ast
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
SOURCE_ROOTS: Final = ("clients", "services")
PYTHON_ROOTS: Final = (*SOURCE_ROOTS, "tools", "tests")


@dataclass(frozen=True)
class Module:
    """A hand-written Python file: its path relative to the project and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Whether this is the `__init__.py` of a folder."""
        return self.path.name == "__init__.py"


@cache
def tracked_files() -> tuple[Path, ...]:
    """Files that git holds, or would hold after `git add`; generated ones are ignored by git."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(Path(name) for name in sorted(listed.split("\0")) if name and (ROOT / name).is_file())


@cache
def modules() -> tuple[Module, ...]:
    """Every hand-written Python file."""
    return tuple(
        _parse(path) for path in tracked_files() if path.suffix == ".py" and path.parts[0] in (*PYTHON_ROOTS, path.name)
    )


def library_modules() -> Iterator[Module]:
    """Those that are part of the package `kubewire`."""
    return (module for module in modules() if module.path.parts[0] in SOURCE_ROOTS)


def expect_none(violations: Iterable[str]) -> None:
    """Fail with the whole list, one violation a line; each says where and what would be right."""
    lines = sorted(violations)
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def _parse(path: Path) -> Module:
    text = (ROOT / path).read_text(encoding="utf-8")
    return Module(path, text, ast.parse(text, filename=str(path)))
