"""Roles and bindings every cluster starts with, from the table of facts to `apiserver/bootstrap/rbac.tsv`.

Usage: python -m tools.facts.bootstrap_rbac <directory with bootstrap-rbac.jsonl>

One line an object, what belongs to it on the lines below, which begin with a tab:

    ClusterRole <name> [<label> ...] [+<label of roles it takes its rules from>]
        <verbs> <API groups> <resources> [<names>]      lists with commas; the core group is `core`
        <verbs> <URL> ...                               URLs begin with a slash, or are `*`
    ClusterRoleBinding <name> <role> <subject> ...      Group:<name>, User:<name>, ServiceAccount:<namespace>/<name>
    Role, RoleBinding <namespace>/<name> ...            likewise; the role of a RoleBinding is a Role
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path("services/kubewire/apiserver/bootstrap/rbac.tsv")
_OWN_LABEL = "kubernetes.io/bootstrapping"


def main(directory: Path) -> None:
    """Write the table."""
    rows = (json.loads(line) for line in (directory / "bootstrap-rbac.jsonl").read_text().splitlines())
    lines = [line for row in rows if row["set"].startswith("rbac-default") for line in _lines(row["object"])]
    TARGET.write_text("\n".join(lines) + "\n")


def _lines(found: dict[str, Any]) -> Iterator[str]:
    meta = found["metadata"]
    name = f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else meta["name"]
    if found["kind"].endswith("Binding"):
        yield "\t".join([found["kind"], name, found["roleRef"]["name"], *map(_subject, found.get("subjects") or [])])
        return
    labels = [label for label in meta.get("labels", {}) if label != _OWN_LABEL]
    sources = [
        f"+{label}"
        for selector in found.get("aggregationRule", {}).get("clusterRoleSelectors", [])
        for label in selector["matchLabels"]
    ]
    yield "\t".join([found["kind"], name, *labels, *sources])
    for rule in found["rules"] or []:
        yield "\t" + "\t".join(_rule(rule))


def _rule(rule: dict[str, list[str]]) -> list[str]:
    verbs = ",".join(rule["verbs"])
    if "nonResourceURLs" in rule:
        return [verbs, *rule["nonResourceURLs"]]
    groups = ",".join(group or "core" for group in rule["apiGroups"])
    names = [",".join(rule["resourceNames"])] if "resourceNames" in rule else []
    return [verbs, groups, ",".join(rule["resources"]), *names]


def _subject(subject: dict[str, str]) -> str:
    namespace = f"{subject['namespace']}/" if "namespace" in subject else ""
    return f"{subject['kind']}:{namespace}{subject['name']}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
