"""`python -m tools.protogen` writes the typed services; `--check` only says whether they are up to date."""

from __future__ import annotations

import sys

from kubewire.machinery.resources import builtin
from tools.protogen.render import existing, files


def main(arguments: list[str]) -> int:
    """Exit code 1 with the stale files' names if `--check` finds any."""
    wanted = files(builtin().all)
    stale = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    surplus = sorted(existing() - set(wanted))
    if "--check" in arguments:
        for path in stale + surplus:
            print(f"{path}: not what the resource table says; run `make generate`", file=sys.stderr)
        return 1 if stale or surplus else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path])
    for path in surplus:
        path.unlink()
    print(f"{len(wanted)} services, {len(stale)} written, {len(surplus)} removed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
