"""Follow ConfigMaps: `python examples/watch.py ADDRESS CA_FILE TOKEN_FILE [SECONDS]`."""

import asyncio
import sys
from pathlib import Path

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.client.client import Client
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions


async def follow(client: Client) -> None:
    """Create one, and print every change from then on."""
    maps = client.resource(ConfigMap, namespace="default")
    async with maps.watch() as events:
        made = ConfigMap()
        made.metadata.generateName = "from-python-"
        made.data["written"] = "by a typed client"
        await maps.create(made)
        async for event in events:
            print(event.type, event.object.metadata.name, dict(event.object.data), flush=True)


async def main(address: str, ca_file: str, token_file: str, seconds: float) -> None:
    """Follow for some time."""
    options = GrpcOptions((address,), ca_file=Path(ca_file), token_file=Path(token_file), user_agent="example/1.0")
    transport = GrpcTransport(options)
    try:
        async with asyncio.timeout(seconds):
            await follow(Client(transport))
    except TimeoutError:
        pass
    finally:
        await transport.close()


if __name__ == "__main__":
    where, ca, token, *rest = sys.argv[1:]
    asyncio.run(main(where, ca, token, float(rest[0]) if rest else 3600.0))
