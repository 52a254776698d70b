"""What the registry does beside writing an object of some kinds: take for it, and give back, what many share.

Kubernetes calls these hooks BeginCreate, BeginUpdate and AfterDelete.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from kubewire.apiserver.storage.errors import Mismatch
from kubewire.machinery.errors import Reason, StatusError

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.registry.write import Write


class Companion(Protocol):
    """Of one kind. Every method may be called again for the same object and must then do no harm."""

    async def reserve(self, new: Message, old: Message | None, *, dry_run: bool) -> Any:  # noqa: ANN401 - each its own
        """Before the write: take what `new` needs, and complete it. What is given back by `give_back` if it fails."""
        ...

    async def settle(self, new: Message | None, old: Message | None) -> None:
        """After the write: give back what only `old` needed. `new` None: the object is gone."""
        ...

    async def give_back(self, taken: Any) -> None:  # noqa: ANN401 - what `reserve` gave
        """The write failed: give back what `reserve` took."""
        ...


class accompanied:  # noqa: N801 - reads as a word where it is used
    """`async with accompanied(write):` around the store's part of a write.

    What was taken stays taken when it is not known whether the write took place: giving an address to two Services
    would be worse than losing one. `ends`: the write is the end of the object.
    """

    __slots__ = ("_companion", "_ends", "_taken", "_write")

    def __init__(self, write: Write, *, ends: bool = False) -> None:
        self._write = write
        self._ends = ends
        self._companion = write.core.companions.get(write.kind.resource)
        self._taken: Any = None

    async def __aenter__(self) -> None:
        if self._companion is not None:
            write = self._write
            self._taken = await self._companion.reserve(write.obj, write.old, dry_run=write.options.dry_run)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._companion is None:
            return
        write = self._write
        if error is None:
            if not write.options.dry_run:
                await self._companion.settle(None if self._ends else write.obj, write.old)
        elif isinstance(error, Mismatch) or (isinstance(error, StatusError) and error.reason != Reason.TIMEOUT):
            await self._companion.give_back(self._taken)
