"""Node ports: one bitmap in the store, in the place and form in which Kubernetes keeps it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from random import Random
from typing import Final

from kubewire.api.core.v1.range_allocation_pb2 import RangeAllocation
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding.envelope import MAGIC, wrap
from kubewire.apiserver.storage.errors import Mismatch
from kubewire.apiserver.storage.store import Store

KEY: Final = b"/registry/ranges/servicenodeports"
FIRST_PORT: Final = 30000
LAST_PORT: Final = 32767
_ATTEMPTS: Final = 50
_SMALLEST_BAND, _LARGEST_BAND, _BAND_SHARE = 16, 128, 32


class PortNotToBeHad(ValueError):
    """The port asked for belongs to another Service, or is none of those that are given out."""


class PortsExhausted(RuntimeError):
    """No port is left."""


class PortRange:
    """Ports `first` to `last`; the lowest ones are given out last, since people like to choose among them."""

    def __init__(self, first: int = FIRST_PORT, last: int = LAST_PORT) -> None:
        self.first: Final[int] = first
        self.size: Final[int] = last - first + 1
        self._band = min(max(_SMALLEST_BAND, self.size // _BAND_SHARE), _LARGEST_BAND, self.size)

    def __str__(self) -> str:
        return f"{self.first}-{self.first + self.size - 1}"

    def __contains__(self, port: int) -> bool:
        return self.first <= port < self.first + self.size

    def bit(self, port: int) -> int:
        """The bit of a port. Raises PortNotToBeHad."""
        if port not in self:
            raise PortNotToBeHad(f"provided port is not in the valid range. The range of valid ports is {self}")
        return int(1 << (port - self.first))

    def free(self, taken: int, random: Random) -> int:
        """Some free port. Raises PortsExhausted."""
        for low, high in ((self._band, self.size), (0, self._band)):
            start = random.randrange(low, high) if high > low else low
            for offset in (*range(start, high), *range(low, start)):
                if not taken >> offset & 1:
                    return int(self.first + offset)
        raise PortsExhausted("failed to allocate a nodePort: range is full")


class NodePorts:
    """Takes and gives back ports. Writes of one server take turns; those of several are guarded by the store."""

    def __init__(self, store: Store, random: Random, ports: PortRange | None = None) -> None:
        self._store = store
        self._random = random
        self.range: Final = ports or PortRange()
        self._turn = asyncio.Lock()

    async def take(self, port: int) -> None:
        """Take one port. Raises PortNotToBeHad, StorageError."""
        bit = self.range.bit(port)

        def mark(taken: int) -> int:
            if taken & bit:
                raise PortNotToBeHad("provided port is already allocated")
            return taken | bit

        await self._change(mark)

    async def take_any(self) -> int:
        """Take some free port. Raises PortsExhausted, StorageError."""
        chosen = 0

        def mark(taken: int) -> int:
            nonlocal chosen
            chosen = self.range.free(taken, self._random)
            return taken | self.range.bit(chosen)

        await self._change(mark)
        return chosen

    async def peek_any(self) -> int:
        """A port that is free now, not taken. Raises PortsExhausted, StorageError."""
        return self.range.free((await self._read())[0], self._random)

    async def give_back(self, ports: Iterable[int]) -> None:
        """Free ports; those that are free already stay so. Raises StorageError."""
        bits = 0
        for port in ports:
            bits |= self.range.bit(port) if port in self.range else 0
        if bits:
            await self._change(lambda taken: taken & ~bits)

    async def _change(self, mark: Callable[[int], int]) -> None:
        async with self._turn:
            for _ in range(_ATTEMPTS):
                taken, revision = await self._read()
                marked = mark(taken)
                if marked == taken:
                    return
                try:
                    await self._store.replace(KEY, self._value(marked), revision)
                except Mismatch:
                    continue
                return
        raise PortsExhausted("failed to allocate a nodePort: too many others are allocating")

    async def _read(self) -> tuple[int, int]:
        """The bitmap and its revision; empty at 0 while there is none."""
        entry = await self._store.get(KEY)
        if entry is None:
            return 0, 0
        held = RangeAllocation.FromString(Unknown.FromString(entry.value.removeprefix(MAGIC)).raw)
        return int.from_bytes(held.data, "big"), entry.revision

    def _value(self, taken: int) -> bytes:
        held = RangeAllocation(range=str(self.range), data=taken.to_bytes((taken.bit_length() + 7) // 8, "big"))
        held.metadata.SetInParent()
        return wrap("v1", "RangeAllocation", held.SerializeToString(deterministic=True))
