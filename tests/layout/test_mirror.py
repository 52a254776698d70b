"""Rules about tests: unit tests lie where the code they test lies."""

from pathlib import Path

from tests.layout.source_files import ROOT, SOURCE_ROOTS, expect_none, modules

UNIT = Path("tests/unit")


def is_mirrored(test: Path) -> bool:
    """Whether tests/unit/<folder>/test_<name>[_<aspect>].py has a module or package kubewire/<folder>/<name>.

    tests/unit/tools mirrors tools/.
    """
    folder = test.parent.relative_to(UNIT)
    roots = [Path()] if folder.parts[:1] == ("tools",) else [Path(root, "kubewire") for root in SOURCE_ROOTS]
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(len(words), 0, -1)]
    places = [ROOT / root / folder / name for root in roots for name in names]
    return any(place.with_suffix(".py").exists() or place.is_dir() for place in places)


def test_unit_tests_mirror_sources() -> None:
    """A unit test's path names the module it tests: tests/unit/a/test_b.py tests kubewire/a/b.py."""
    expect_none(
        f"{module.path}: no module of that name below kubewire/{module.path.parent.relative_to(UNIT)}"
        for module in modules()
        if module.path.is_relative_to(UNIT) and module.path.name.startswith("test_") and not is_mirrored(module.path)
    )


def test_tests_are_collected() -> None:
    """Files with tests are called test_*.py, or pytest would pass them over."""
    expect_none(
        f"{module.path}: rename to test_{module.path.name}"
        for module in modules()
        if module.path.parts[0] == "tests" and not module.path.name.startswith(("test_", "conftest"))
        for node in module.tree.body
        if getattr(node, "name", "").startswith("test_")
    )
