"""Metric families as served, held against those of Kubernetes' components (tests/data/metrics)."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families

_TABLE = Path(__file__).parent / "data" / "metrics" / "families.tsv"
_TYPE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)
_UNKNOWN = "any"


class Family(NamedTuple):
    """One of Kubernetes' families; without buckets it has those that clients take by default."""

    kind: str
    labels: frozenset[str]
    buckets: frozenset[float]
    page: str


@cache
def known() -> dict[str, Family]:
    """All of them by name."""
    with _TABLE.open(encoding="utf-8") as lines:
        return {
            row["name"]: Family(
                row["kind"],
                frozenset(filter(None, row["labels"].split(","))),
                frozenset(map(float, filter(None, row["buckets"].split(",")))),
                row["page"],
            )
            for row in csv.DictReader(lines, delimiter="\t")
        }


def differences(text: str, url: str) -> list[str]:
    """Where a page's families differ from those of the same name; other names are the components' own."""
    found = []
    kinds = dict(_TYPE.findall(text))
    for name in kinds.keys() & known().keys():
        want = known()[name]
        if kinds[name] != want.kind != _UNKNOWN:
            found.append(f"{name}: a {kinds[name]}, want a {want.kind}")
        if want.page != urlsplit(url).path:
            found.append(f"{name}: want it on {want.page}")
    return [*found, *_labels(text)]


def _labels(text: str) -> list[str]:
    """Where series have other labels or bounds."""
    found: dict[str, None] = {}
    for family in text_string_to_metric_families(text):
        want = known().get(family.name) or known().get(f"{family.name}_total")
        if want is None:
            continue
        bounds = {float(sample.labels["le"]) for sample in family.samples if "le" in sample.labels}
        if bounds and want.buckets and bounds - {float("inf")} != want.buckets:
            found[f"{family.name}: other buckets: {sorted(bounds ^ want.buckets)}"] = None
        for sample in family.samples:
            if sample.labels.keys() - {"le"} != want.labels:
                found[f"{family.name}: labels {sorted(sample.labels)}, want {sorted(want.labels)}"] = None
    return list(found)
