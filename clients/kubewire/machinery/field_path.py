"""Paths to fields as error messages print them.

For example `spec.containers[0].ports[1].hostPort`, `metadata.labels[foo]`.
"""

from __future__ import annotations


class Path:
    """An immutable path; extending it makes a child and leaves the parent as it was.

    Validation walks whole objects and mostly finds nothing wrong, so a path only links to its parent;
    the text is made when an error needs it.
    """

    __slots__ = ("parent", "text")

    def __init__(self, name: str = "", parent: Path | None = None) -> None:
        self.text = name
        self.parent = parent

    def child(self, name: str, *deeper: str) -> Path:
        """The path of a field inside this one; several names descend step by step."""
        path = Path("." + name, self)
        for step in deeper:
            path = Path("." + step, path)
        return path

    def index(self, position: int) -> Path:
        """The path of a list's item."""
        return Path(f"[{position}]", self)

    def key(self, name: str) -> Path:
        """The path of a map's value."""
        return Path(f"[{name}]", self)

    def __bool__(self) -> bool:
        return bool(self.text) or bool(self.parent)

    def __str__(self) -> str:
        parts: list[str] = []
        path: Path | None = self
        while path is not None:
            parts.append(path.text)
            path = path.parent
        return "".join(reversed(parts)).removeprefix(".")

    def __repr__(self) -> str:
        return f"Path({str(self)!r})"


ROOT = Path()
"""The object itself; `ROOT.child("spec")` is `spec`."""
