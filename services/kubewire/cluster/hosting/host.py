"""Runs components in one process: `python -m kubewire.cluster.hosting.host NAME [FLAG ...] [-- NAME [FLAG ...]] ...`.

The flags of each are those it takes as a process of its own. Where the API server is one of them it comes up first,
alone, so that it answers as early as it can; the others reach it through its dispatcher, without sockets. Elsewhere
each has its own connection. When one fails, all end: whoever supervises the process starts it anew.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

from kubewire.cluster.hosting.table import APISERVER, COMPONENTS, SEPARATOR, Hosted
from kubewire.component import log
from kubewire.component.config import load
from kubewire.component.errors import ConfigError
from kubewire.component.lifecycle import run_process

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from kubewire.apiserver.app import ApiServer
    from kubewire.client.transport.transport import Transport


class Runnable(Protocol):
    """What the class named in `Hosted.app` makes."""

    async def run(self, stop: asyncio.Event, on_up: Callable[[], None]) -> None:
        """Work until `stop` is set."""
        ...


class Asked(NamedTuple):
    """One component of a command line."""

    name: str
    flags: tuple[str, ...]


def sections(arguments: Sequence[str]) -> list[Asked]:
    """The components of a command line, in order.

    Raises:
        ConfigError: a section is empty, or names no component.
    """
    found: list[list[str]] = [[]]
    for argument in arguments:
        if argument == SEPARATOR:
            found.append([])
        else:
            found[-1].append(argument)
    if unknown := [section for section in found if not section or section[0] not in COMPONENTS]:
        raise ConfigError(f"{' '.join(unknown[0]) or SEPARATOR}: want one of {', '.join(COMPONENTS)} and its flags")
    return [Asked(section[0], tuple(section[1:])) for section in found]


class Host:
    """The components of one process."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        self._asked = asked
        self._server: ApiServer | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Run all until `stop` is set; the API server ends last.

        Raises:
            ExceptionGroup: one failed.
        """
        others = [one for one in self._asked if one.name != APISERVER]
        async with asyncio.TaskGroup() as group:
            server_stop = await self._start_server(group)
            try:
                async with asyncio.TaskGroup() as inner:
                    for one in others:
                        inner.create_task(self._run(one, stop), name=one.name)
                    await stop.wait()
            finally:
                server_stop.set()

    async def _start_server(self, group: asyncio.TaskGroup) -> asyncio.Event:
        """Returns when the API server answers, or at once if there is none; it ends when the event is set."""
        server_stop, up = asyncio.Event(), asyncio.Event()
        for one in self._asked:
            if one.name == APISERVER:
                from kubewire.apiserver.app import ApiServer  # noqa: PLC0415  # a node's agents need none of it
                from kubewire.apiserver.config import ApiServerConfig  # noqa: PLC0415  # likewise

                self._server = ApiServer(load(ApiServerConfig, "apiserver", one.flags))
                group.create_task(self._server.run(server_stop, up.set), name=one.name)
                await up.wait()
        return server_stop

    async def _run(self, one: Asked, stop: asyncio.Event) -> None:
        hosted = COMPONENTS[one.name]
        # In a thread, because the API server next door has calls to answer meanwhile.
        app = await asyncio.to_thread(import_module, f"kubewire.{hosted.package}.app")
        config = await asyncio.to_thread(_config, hosted, one.flags)
        transport = self._transport(hosted, config)
        try:
            component: Runnable = getattr(app, hosted.app)(config, transport)
            await component.run(stop, lambda: None)
        finally:
            await transport.close()

    def _transport(self, hosted: Hosted, config: DataclassInstance) -> Transport:
        connection = import_module(f"kubewire.{hosted.package}.connection")
        if self._server is None:
            transport: Transport = connection.connect(config)
            return transport
        from kubewire.apiserver.auth.authentication import as_member  # noqa: PLC0415  # loaded with the server
        from kubewire.apiserver.rpc.context import RpcContext  # noqa: PLC0415  # likewise
        from kubewire.client.transport.in_process import InProcessTransport  # noqa: PLC0415  # likewise

        identity = as_member(hosted.user, groups=hosted.groups)
        context = partial(RpcContext, identity)
        return InProcessTransport(self._server.dispatcher, context, user_agent=connection.USER_AGENT)


def _config(hosted: Hosted, flags: Sequence[str]) -> DataclassInstance:
    kind: type[DataclassInstance] = getattr(import_module(f"kubewire.{hosted.package}.config"), hosted.config)
    return load(kind, hosted.package, flags)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0 after SIGTERM, 1 if a part failed, 2 if one could not start."""
    try:
        asked = sections(arguments)
    except ConfigError as error:
        sys.stderr.write(f"kubewire: {error}\n")
        return 2
    log.configure(level="info", form="text")  # people read it, in a file
    return run_process(Host(asked).run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
