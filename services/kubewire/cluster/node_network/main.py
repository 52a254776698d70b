"""`python -m kubewire.cluster.node_network.main`: the network between nodes as a process of its own, on the host."""

from __future__ import annotations

import asyncio
import sys

from kubewire.cluster.node_network.config import NodeNetworkConfig
from kubewire.component import log
from kubewire.component.config import load
from kubewire.component.errors import ConfigError
from kubewire.component.lifecycle import run_process


def main() -> None:
    """Run until SIGTERM; exit code 2 if it cannot start, 1 if a part failed."""
    try:
        config = load(NodeNetworkConfig, "node_network", sys.argv[1:])
    except ConfigError as error:
        sys.exit(f"node-network: {error}")
    log.configure(level=config.log_level, form=config.log_format)

    async def run(stop: asyncio.Event) -> None:
        # Wrong settings are told before all parts are loaded.
        from kubewire.cluster.node_network.app import NodeNetwork  # noqa: PLC0415
        from kubewire.cluster.node_network.connection import connect  # noqa: PLC0415

        transport = connect(config)
        try:
            await NodeNetwork(config, transport).run(stop)
        finally:
            await transport.close()

    sys.exit(run_process(run))


if __name__ == "__main__":
    main()
