"""The parts of the API server in the order in which they start; they end in the opposite order.

    store       etcd answers                               (StoreProbe: goes on to tell readiness whether it still does)
    cache       everything in etcd is held in memory, and followed
    bootstrap   what every cluster has is there
    faces       gRPC and REST listen: from here on the server is ready
    upkeep      default roles are made, history is compacted, health is kept up

A face that drains still has the cache and the store under it. What writes pass through stands in
`registry/pipeline.py`; which plug-ins admit them in `admission/table.py`; who may authenticate in `credentials.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.component.lifecycle import Part, Stage

if TYPE_CHECKING:
    from kubewire.apiserver.app import ApiServer


def stages(server: ApiServer) -> tuple[Stage, ...]:
    """The table."""
    return (
        Stage("store", (Part("store", server.run_store),)),
        Stage("cache", (Part("cache", server.run_cache),)),
        Stage("bootstrap", (Part("bootstrap", server.run_bootstrap),)),
        Stage("faces", (Part("rpc", server.run_rpc), Part("rest", server.run_rest))),
        Stage(
            "upkeep",
            (
                Part("roles", server.run_roles),
                Part("compactor", server.run_compactor),
                Part("health", server.run_health),
                Part("watchdog", server.run_watchdog),
            ),
        ),
    )
