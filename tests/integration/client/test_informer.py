"""An informer over gRPC while its API server is killed and started again: nothing lost, nothing repeated."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMap
from kubewire.client.client import Client
from kubewire.client.informer.informer import Handler, Informer
from kubewire.client.objects import ObjectKey, key_of
from kubewire.client.resources.options import Selection
from kubewire.client.transport.grpc_transport import GrpcTransport
from kubewire.client.transport.options import GrpcOptions
from kubewire.machinery.errors import StatusError
from tests.apiserver_process import ApiServerProcess, running_apiserver

NAMESPACE = "default"
KILLS = 3
WRITERS = 4


@pytest.fixture
def apiserver(shared_etcd: str, tmp_path: Path) -> Iterator[ApiServerProcess]:
    """A server that may be killed."""
    with running_apiserver(tmp_path, shared_etcd) as server:
        yield server


class Replica:
    """What a handler that only adds up differences believes there is."""

    def __init__(self) -> None:
        self.versions: dict[ObjectKey, int] = {}
        self.has_seen_last = asyncio.Event()

    @property
    def handler(self) -> Handler[ConfigMap]:
        """The handler; it refuses differences that do not fit what it knows."""
        return Handler(self._added, self._updated, self._deleted)

    def _added(self, obj: ConfigMap) -> None:
        assert key_of(obj) not in self.versions, "added twice"
        self.versions[key_of(obj)] = int(obj.metadata.resourceVersion)
        if obj.metadata.name == "last":
            self.has_seen_last.set()

    def _updated(self, before: ConfigMap, now: ConfigMap) -> None:
        assert self.versions[key_of(now)] == int(before.metadata.resourceVersion), "a change was missed"
        assert int(before.metadata.resourceVersion) < int(now.metadata.resourceVersion), "went back"
        self.versions[key_of(now)] = int(now.metadata.resourceVersion)

    def _deleted(self, last: ConfigMap) -> None:
        assert self.versions.pop(key_of(last)) <= int(last.metadata.resourceVersion), "went back"


async def write(client: Client, number: int, stop: asyncio.Event) -> None:
    """Create, change and delete objects of this writer's own; failures are the server's, and go by."""
    random, maps = Random(number), client.resource(ConfigMap, namespace=NAMESPACE).with_timeout(5)
    while not stop.is_set():
        wanted = ConfigMap()
        wanted.metadata.namespace, wanted.metadata.name = NAMESPACE, f"w{number}-{random.randrange(8)}"
        wanted.metadata.labels["suite"] = "informer"
        wanted.data["value"] = str(random.random())
        with suppress(StatusError):
            match random.choice(["create", "update", "update", "delete"]):
                case "create":
                    await maps.create(wanted)
                case "update":
                    await maps.update(wanted)
                case "delete":
                    await maps.delete(wanted.metadata.name)


async def test_kills_do_not_show(apiserver: ApiServerProcess) -> None:
    """After several SIGKILLs under load the cache is what a list says, and so is the sum of all differences told."""
    transport = GrpcTransport(GrpcOptions((apiserver.insecure_grpc,), insecure=True, token=apiserver.token))
    client, replica, stop = Client(transport), Replica(), asyncio.Event()
    maps = client.resource(ConfigMap, namespace=NAMESPACE)
    informer = Informer(maps, Selection("suite=informer"))
    informer.add_handler(replica.handler)
    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        running = group.create_task(informer.run())
        writers = [group.create_task(write(client, number, stop)) for number in range(WRITERS)]
        for _ in range(KILLS):
            await asyncio.sleep(1)
            await asyncio.to_thread(apiserver.kill)
            await asyncio.to_thread(apiserver.start)
        await asyncio.sleep(1)
        stop.set()
        await asyncio.wait(writers)
        listed = {key_of(obj): obj async for obj in maps.list(Selection("suite=informer"))}
        last = (await maps.create(_last())).metadata.resourceVersion
        await replica.has_seen_last.wait()
        running.cancel()
    listed_versions = {key: int(obj.metadata.resourceVersion) for key, obj in listed.items()}
    assert replica.versions == {**listed_versions, ObjectKey(NAMESPACE, "last"): int(last)}
    cached = {key_of(obj): int(obj.metadata.resourceVersion) for obj in informer.cache.list()}
    assert cached == replica.versions
    assert len(listed) > 2
    await transport.close()


def _last() -> ConfigMap:
    made = ConfigMap()
    made.metadata.namespace, made.metadata.name = NAMESPACE, "last"
    made.metadata.labels["suite"] = "informer"
    return made
