"""Rules about components: who has read one can find the way in all."""

from pathlib import Path

from tests.layout.source_files import ROOT, expect_none

# Built from components or shared by all of them; they serve nothing themselves.
NO_COMPONENTS = {"component", "cluster"}
FACES = ("README.md", "app.py", "config.py", "errors.py", "metrics.py", "table.py")


def components() -> list[Path]:
    """The folders of services/kubewire that are processes of a cluster."""
    folders = (path.parent for path in (ROOT / "services/kubewire").glob("*/__init__.py"))
    return sorted(folder for folder in folders if folder.name not in NO_COMPONENTS)


def test_every_component_has_the_same_faces() -> None:
    """Each component has a README and files for its wiring, configuration, errors, metrics and plug-ins."""
    expect_none(
        f"{(component / face).relative_to(ROOT)}: missing"
        for component in components()
        for face in FACES
        if not (component / face).exists()
    )
