"""The network between nodes put together: one watch on Nodes, and what follows from it on each node and on the host."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.client.client import Client
from kubewire.client.informer.informer import Informer, drop_managed_fields
from kubewire.client.transport.transport import Transport
from kubewire.cluster.home import Home
from kubewire.cluster.node_network.config import NodeNetworkConfig
from kubewire.cluster.nodes.place import read_fabric, read_places
from kubewire.cluster.nodes.pod_network import PodNetwork
from kubewire.component.errors import ConfigError
from kubewire.component.log import Logger

_LOG: Final = Logger("cluster.node_network")


class NodeNetwork:
    """Of all nodes that the cluster's folder knows, and of the host. Make it inside a running loop, and run it once."""

    def __init__(self, config: NodeNetworkConfig, transport: Transport) -> None:
        """Nothing runs and nothing is asked yet.

        Raises:
            ConfigError: the folder is not that of a cluster with nodes.
        """
        fabric = read_fabric(Home(config.cluster, config.home))
        if fabric is None:
            raise ConfigError(f"home: {config.home} is no folder of a cluster with nodes")
        self._nodes: Informer[Node] = Informer(Client(transport).resource(Node), transform=drop_managed_fields)
        self._networks = [PodNetwork(self._nodes, fabric, place) for place in (None, *read_places(fabric))]

    async def run(self, stop: asyncio.Event, on_up: Callable[[], None] = lambda: None) -> None:
        """Follow the Nodes until `stop` is set.

        Raises:
            ExceptionGroup: a part failed.
        """
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(self._nodes.run())]
            running += [group.create_task(network.run()) for network in self._networks]
            on_up()
            _LOG.info("ready", ends=len(self._networks))
            await stop.wait()
            for task in running:
                task.cancel()
