"""Write `clients/kubewire/machinery/resources.tsv` from the fact tables: `python -m tools.facts.resources FACTS`.

One row a resource (group, version, plural) in discovery order, with its place in etcd. Subresources are packed as
`name=group/version/Kind:verb,verb` joined by `;`. Empty cells mean "none".
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

COLUMNS = (
    "group",
    "version",
    "kind",
    "plural",
    "singular",
    "short_names",
    "scope",
    "verbs",
    "categories",
    "preferred",
    "served",
    "storage_hash",
    "storage_prefix",
    "stored_version",
    "storage_encoding",
    "ttl_seconds",
    "subresources",
)
Row = dict[str, str]


def read(table: Path) -> list[Row]:
    """All rows of one table."""
    with table.open() as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def pack_subresource(row: Row) -> str:
    """`scale` of Deployments -> `scale=autoscaling/v1/Scale:get,patch,update`."""
    kind = "/".join(filter(None, (row["response_group"], row["response_version"], row["response_kind"])))
    return f"{row['subresource']}={kind}:{row['verbs']}"


def convert(row: Row, subresources: list[Row], keys: Row) -> Row:
    """One resource row in our form."""
    return {
        "group": row["group"],
        "version": row["version"],
        "kind": row["kind"],
        "plural": row["plural"],
        "singular": row["singular"],
        "short_names": row["short_names"],
        "scope": "Namespaced" if row["namespaced"] == "true" else "Cluster",
        "verbs": row["verbs"],
        "categories": row["categories"],
        "preferred": "preferred" if "preferred" in row["storage_or_preferred"] else "",
        "served": "served" if row["default_served"] == "yes" else "",
        "storage_hash": row["storage_version_hash"],
        "storage_prefix": keys.get("prefix", ""),
        "stored_version": keys.get("stored_version", ""),
        "storage_encoding": keys.get("encoding", ""),
        "ttl_seconds": keys.get("ttl_seconds", ""),
        "subresources": ";".join(pack_subresource(item) for item in subresources),
    }


def main(facts: Path, target: Path) -> None:
    """Write the table."""
    rows = read(facts / "resources.tsv")
    keys = {(row["group"], row["resource"]): row for row in read(facts / "etcd-keys.tsv")}
    with target.open("w", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS, delimiter="\t", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            if row["subresource"]:
                continue
            identity = (row["group"], row["version"], row["plural"])
            subresources = [
                item
                for item in rows
                if item["subresource"] and (item["group"], item["version"], item["plural"]) == identity
            ]
            writer.writerow(convert(row, subresources, keys.get((row["group"], row["plural"]), {})))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path("clients/kubewire/machinery/resources.tsv"))
