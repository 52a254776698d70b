"""Run the benchmarks and print one line a row: `python -m tests.benchmarks [--json FILE] [NAME ...]`."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import uvloop

from tests.benchmarks import (
    client_runtime,
    data_path,
    fanout,
    kube_proxy,
    limits,
    node_agent,
    pod_start,
    replica_set,
    rest,
    rpc,
    scheduling,
    start,
)
from tests.benchmarks.cluster import Cluster, running_cluster
from tests.benchmarks.node_cluster import NodeCluster, running_node_cluster
from tests.benchmarks.report import Row, heading, line

Measurement = Callable[[Cluster], AsyncIterator[Row]]
NodeMeasurement = Callable[[NodeCluster], AsyncIterator[Row]]

# In this order: memory is read before any load, lists come last because they fill the cluster. Each group has a
# cluster of its own, so that what one wrote does not weigh on the next.
GROUPS: dict[str, tuple[Measurement, ...]] = {
    "start": (start.memory, start.cold),
    "rest": (rest.creating, rest.reading),
    "grpc": (rpc.creating,),
    "fanout-grpc": (fanout.over_grpc,),
    "fanout-rest": (fanout.over_rest,),
    "replica-set": (replica_set.creating,),
    "schedule": (scheduling.creating,),
    "list": (rest.listing,),
}

# Clusters of one containerd node, which need root: the arguments of `kubewire up`, and what is measured in this order.
NODE_GROUPS: dict[str, tuple[tuple[str, ...], tuple[NodeMeasurement, ...]]] = {
    "node": ((), (start.node_memory, node_agent.idle, pod_start.ready, node_agent.with_pods)),
    "node-apart": (("--processes=apart",), (start.apart_memory, node_agent.idle, node_agent.with_pods)),
}

# What needs no cluster, or another one.
ALONE: dict[str, Callable[[], AsyncIterator[Row]]] = {
    "limits": limits.transactions,
    "cache": data_path.cache,
    "store": data_path.store,
    "client": client_runtime.measure,
    "kube-proxy": kube_proxy.measure,
    "node-start": start.with_node,
    "schedule-waiting": scheduling.waiting,
}


async def run(names: Sequence[str]) -> list[Row]:
    """Measure, and print each row as it comes."""
    rows: list[Row] = []
    print(heading())
    for measure in (_alone, _on_clusters, _on_nodes):
        async for row in measure(names):
            rows.append(row)
            print(line(row), flush=True)
    return rows


async def _alone(names: Sequence[str]) -> AsyncIterator[Row]:
    for name, measure in ALONE.items():
        if name in names:
            async for row in measure():
                yield row


async def _on_clusters(names: Sequence[str]) -> AsyncIterator[Row]:
    for name, measurements in GROUPS.items():
        if name in names:
            with running_cluster() as cluster:
                for measure in measurements:
                    async for row in measure(cluster):
                        yield row


async def _on_nodes(names: Sequence[str]) -> AsyncIterator[Row]:
    for name, (arguments, measurements) in NODE_GROUPS.items():
        if name in names:
            with running_node_cluster(*arguments) as cluster:
                for measure in measurements:
                    async for row in measure(cluster):
                        yield row


def main() -> None:
    """Exit code 0 even if a target is missed: the report is for people, who know how noisy the machine is."""
    choices = [*ALONE, *GROUPS, *NODE_GROUPS]
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which groups (default: all): {', '.join(choices)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the rows as JSON")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.names) - set(choices))
    if unknown:
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(choices)}")
    rows = uvloop.run(run(arguments.names or choices))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2))


if __name__ == "__main__":
    main()
