"""Rules about files and folders: size, names, docstrings, packages."""

import ast
import re

from tests.layout.source_files import ROOT, SOURCE_ROOTS, expect_none, library_modules, modules, tracked_files

LINES_AT_MOST = 600
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager2"}
# Words that put history into a name.
BANNED_PATTERN = re.compile(r"^(new|old|real)_|_v\d+$")


def test_files_are_short() -> None:
    """No hand-written Python file has more than 600 lines: over the limit, a concept is missing a name."""
    expect_none(
        f"{module.path}: {count} lines, at most {LINES_AT_MOST}"
        for module in modules()
        if (count := module.text.count("\n")) > LINES_AT_MOST
    )


def test_every_module_says_what_it_owns() -> None:
    """Every Python file opens with a docstring."""
    expect_none(
        f"{module.path}: begin with a docstring that says what it owns and why it is so"
        for module in modules()
        if not ast.get_docstring(module.tree)
    )


def test_packages_hold_no_logic() -> None:
    """An `__init__.py` is a docstring and nothing else: no work at import, no second way to a name."""
    expect_none(
        f"{module.path}:{node.lineno}: move this into a module of the package"
        for module in modules()
        if module.is_package
        for node in module.tree.body[1:]
    )


def test_kubewire_is_a_namespace_of_two_source_roots() -> None:
    """`clients/kubewire` and `services/kubewire` have no `__init__.py`, or one would hide the other."""
    expect_none(
        f"{root}/kubewire/__init__.py: delete it"
        for root in SOURCE_ROOTS
        if (ROOT / root / "kubewire/__init__.py").exists()
    )


def test_folders_are_packages() -> None:
    """Every folder of modules below `kubewire` has an `__init__.py`."""
    folders = {module.path.parent for module in library_modules()}
    expect_none(
        f"{folder}/__init__.py: add it, with a docstring"
        for folder in folders
        if folder.name != "kubewire" and not (ROOT / folder / "__init__.py").exists()
    )


def test_packages_are_typed_for_their_users() -> None:
    """Every package directly below `kubewire` carries the `py.typed` marker (a namespace cannot)."""
    tops = {"/".join(module.path.parts[:3]) for module in library_modules() if len(module.path.parts) > 3}
    expect_none(f"{top}/py.typed: add an empty file" for top in tops if not (ROOT / top / "py.typed").exists())


def test_names_say_something() -> None:
    """No file or folder is called utils, helpers, common or misc, and none tells its history."""
    expect_none(
        f"{path}: {part!r} says nothing about the content; name the concept"
        for path in tracked_files()
        if path.suffix in {".py", ".proto"}
        for part in (*path.parent.parts, path.stem)
        if part in BANNED_NAMES or (path.suffix == ".py" and BANNED_PATTERN.search(part))
    )
