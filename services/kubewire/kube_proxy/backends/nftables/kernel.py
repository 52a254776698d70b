"""Our table as the kernel has it: reading all of it, and committing changes. Blocking, but for microseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kubewire.kube_proxy.backends.nftables.elements import Elements
from kubewire.kube_proxy.backends.nftables.layout import FILLED_BY_US, TABLE
from kubewire.kube_proxy.netlink.errors import Interrupted
from kubewire.kube_proxy.netlink.socket import Message, NetfilterSocket
from kubewire.kube_proxy.netlink.tables import (
    SUBSYSTEM,
    Chain,
    Namespace,
    SetType,
    chain_of,
    elements_of,
    generation_of,
    rule_of,
    set_of,
    table_name,
)
from kubewire.kube_proxy.netlink.watcher import ChangeWatcher

_READS: Final = 20
"""Attempts to read a table that others keep changing."""


@dataclass(slots=True)
class Image:
    """The table at one moment.

    Attributes:
        exists: whether there is a table at all.
        chains: by name.
        rules: comments of a chain's rules, in order.
        sets: by name.
        elements: of the sets that we fill.
        generation: of all nf_tables in the namespace; grows with every change.
    """

    exists: bool = False
    chains: dict[str, Chain] = field(default_factory=dict)
    rules: dict[str, list[str]] = field(default_factory=dict)
    sets: dict[str, SetType] = field(default_factory=dict)
    elements: Elements = field(default_factory=dict)
    generation: int = 0


class Kernel:
    """Make it in the network namespace it is for."""

    def __init__(self) -> None:
        """Open a socket.

        Raises:
            OSError: there is no netfilter, or no right to it.
        """
        self.messages: Final = Namespace(TABLE)
        self._socket = NetfilterSocket()
        try:
            self._watcher = ChangeWatcher(TABLE, self.messages.family, self._socket.port)
        except OSError:
            self._socket.close()
            raise

    def close(self) -> None:
        """Let the sockets go."""
        self._socket.close()
        self._watcher.close()

    def generation(self) -> int:
        """Changes with every change anybody makes to nf_tables.

        Raises:
            OSError: it is not told.
        """
        return generation_of(self._socket.ask(self.messages.get_generation()))

    def is_untouched_since(self, generation: int) -> int | None:
        """The present generation, if nobody else has changed our table since one; None if somebody has, or may have.

        Raises:
            OSError: it cannot be told.
        """
        now = self.generation()
        if now == generation:
            return now
        self._watcher.listen()
        # A change is counted a moment before it is told.
        return now if self._watcher.generation == now and not self._watcher.is_touched else None

    def read(self) -> Image:
        """One consistent image.

        Raises:
            OSError: it cannot be read, or changes all the time.
        """
        for attempt in range(_READS):
            self._watcher.listen()
            self._watcher.is_touched = False
            before = self.generation()
            try:
                image = self._read()
            except Interrupted:
                if attempt == _READS - 1:
                    raise
                continue
            if self.generation() == before:
                image.generation = before
                return image
        raise Interrupted(4, "nf_tables is changed faster than it can be read")

    def commit(self, messages: Sequence[Message]) -> None:
        """Do all of it at once.

        Raises:
            OSError: none of it was done.
        """
        self._socket.commit(SUBSYSTEM, messages)
        # We are told of our own changes too; left lying, they would fill the buffer.
        self._watcher.listen()

    def _read(self) -> Image:
        ask, dump = self.messages, self._socket.dump
        image = Image(exists=TABLE in map(table_name, dump(ask.get_tables())))
        if not image.exists:
            return image
        for table, chain in map(chain_of, dump(ask.get_chains())):
            if table == TABLE:
                image.chains[chain.name] = chain
                image.rules[chain.name] = []
        for chain_name, comment in map(rule_of, dump(ask.get_rules())):
            image.rules[chain_name].append(comment)
        image.sets = {kind.name: kind for kind in map(set_of, dump(ask.get_sets()))}
        for name in FILLED_BY_US:
            if name in image.sets:
                for message in dump(ask.get_elements(name)):
                    image.elements.update(((name, one.key), one) for one in elements_of(message))
        return image
