"""The nf_tables backend: remembers what is programmed, and commits what changes.

It talks with the kernel itself, over netlink: no process is started, nothing is parsed, and a transaction of a few
elements takes a fraction of a millisecond (docs/adr/0017).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from kubewire.kube_proxy.backends.contracts import Programmed
from kubewire.kube_proxy.backends.nftables.elements import (
    SHARED,
    Placed,
    choice_for,
    elements_of,
    packed,
    place,
    rules_of,
)
from kubewire.kube_proxy.backends.nftables.kernel import Image, Kernel
from kubewire.kube_proxy.backends.nftables.layout import ChainText, Choice, Options, choice_chain, fixed_chains
from kubewire.kube_proxy.backends.nftables.plan import (
    Changes,
    Wanted,
    chains_for,
    damage,
    repair,
    transaction,
)
from kubewire.kube_proxy.desired.difference import Difference
from kubewire.kube_proxy.desired.model import Frontend
from kubewire.kube_proxy.errors import BackendFailed
from kubewire.kube_proxy.netlink.socket import Message
from kubewire.kube_proxy.netlink.tables import Element
from kubewire.kube_proxy.netlink.threads import WorkerThread

NAME: Final = "nftables"
Result = TypeVar("Result")


class NftablesBackend:
    """Fills `Backend`. Make it in the network namespace it is for; `kernel` is its own to close."""

    name: Final = NAME

    def __init__(self, kernel: Kernel, options: Options) -> None:
        self._kernel = kernel
        self._thread = WorkerThread(NAME)
        self._options = options
        self._fixed = fixed_chains(options)
        self._placed: dict[Frontend, Placed] = {}
        self._choices: Counter[Choice] = Counter()
        # Choices with affinity are one rule's each.
        self._affine: dict[Choice, Placed] = {}
        self._shared: Counter[tuple[str, bytes]] = Counter()
        # What was read and is not as it should be; None while all is well.
        self._damaged: Image | None = None
        self._generation: int | None = None

    async def read(self) -> Programmed:
        """See `Backend`."""
        return await self._call(self._read)

    async def apply(self, difference: Difference) -> None:
        """See `Backend`."""
        await self._call(lambda: self._apply(difference))

    async def was_touched(self) -> bool:
        """See `Backend`."""
        return await self._call(self._look)

    async def clear(self) -> None:
        """See `Backend`."""
        await self._call(self._clear)

    def close(self) -> None:
        """See `Backend`."""
        self._thread.close()
        self._kernel.close()

    async def _call(self, work: Callable[[], Result]) -> Result:
        """In a thread, as much of it takes milliseconds."""
        try:
            return await self._thread.do(work)
        except OSError as error:
            self._generation = None
            raise BackendFailed(f"nf_tables: {error.strerror or error}") from error

    def _look(self) -> bool:
        if self._generation is None:
            return True
        now = self._kernel.is_untouched_since(self._generation)
        if now is not None:
            self._generation = now
        return now is None

    def _read(self) -> Programmed:
        image = self._kernel.read()
        self._placed = rules_of(image.elements)
        self._count()
        found = tuple(damage(image, self._fixed, self._wanted()))
        self._damaged = image if found else None
        self._generation = image.generation
        return Programmed({frontend: placed.rule for frontend, placed in self._placed.items()}, found)

    def _apply(self, difference: Difference) -> None:
        if self._generation is None:
            raise BackendFailed("nf_tables: read what is programmed before changing it")
        changes = self._change(difference)
        messages = self._kernel.messages
        if self._damaged is None:
            self._commit(transaction(messages, changes))
        else:
            self._commit(repair(messages, self._damaged, self._fixed, self._wanted()))
            self._damaged = None

    def _commit(self, messages: list[Message]) -> None:
        if messages:
            self._kernel.commit(messages)
            assert self._generation is not None
            # Counted and not asked for: if somebody else was quicker, the numbers differ, which is noticed.
            self._generation = (self._generation + 1) & 0xFFFFFFFF or 1

    def _clear(self) -> None:
        image = self._kernel.read()
        if image.exists:
            self._kernel.commit([self._kernel.messages.delete_table()])
        self._placed.clear()
        self._generation = None

    def _change(self, difference: Difference) -> Changes:
        """Take a difference into what is remembered; returns what it means for the table."""
        before, delete, add = Counter(self._choices), [], []
        for frontend in difference.remove:
            gone, made = self._exchange(frontend, None)
            delete += gone
            add += made
        for rule in difference.put:
            known = self._placed.get(rule.frontend)
            gone, made = self._exchange(rule.frontend, place(rule, known.order if known else ()))
            delete += gone
            add += made
        unused = [choice.chain for choice in before if not self._choices[choice]]
        anew = [choice for choice, count in self._choices.items() if count and not before[choice]]
        self._choices = +self._choices
        return Changes(*_settled(delete, add), unused, chains_for(anew, self._chain))

    def _exchange(
        self, frontend: Frontend, placed: Placed | None
    ) -> tuple[list[tuple[str, bytes]], list[tuple[str, Element]]]:
        """Replace the rule of a frontend; returns elements to delete and to add."""
        old = self._placed.pop(frontend, None)
        before = elements_of(old) if old is not None else {}
        after = elements_of(placed) if placed is not None else {}
        self._count_choice(old, -1)
        self._count_choice(placed, 1)
        if placed is not None:
            self._placed[frontend] = placed
        delete = [one for one, element in before.items() if after.get(one) != element and self._release(one)]
        add = [(one[0], element) for one, element in after.items() if before.get(one) != element and self._take(one)]
        return delete, add

    def _release(self, one: tuple[str, bytes]) -> bool:
        """Whether nobody else needs an element."""
        if one[0] not in SHARED:
            return True
        self._shared[one] -= 1
        return not self._shared[one]

    def _take(self, one: tuple[str, bytes]) -> bool:
        """Whether an element is not there for somebody else."""
        if one[0] not in SHARED:
            return True
        self._shared[one] += 1
        return self._shared[one] == 1

    def _count(self) -> None:
        """Count what rules share."""
        self._choices.clear()
        self._affine.clear()
        self._shared.clear()
        for placed in self._placed.values():
            self._count_choice(placed, 1)
            self._shared.update(one for one in elements_of(placed) if one[0] in SHARED)

    def _count_choice(self, placed: Placed | None, by: int) -> None:
        choice = choice_for(placed) if placed is not None else None
        if choice is None or placed is None:
            return
        self._choices[choice] += by
        if not self._choices[choice]:
            self._affine.pop(choice, None)
        elif choice.affinity_seconds:
            self._affine[choice] = placed

    def _wanted(self) -> Wanted:
        elements = {key: one for placed in self._placed.values() for key, one in elements_of(placed).items()}
        return Wanted(elements, chains_for(self._choices, self._chain))

    def _chain(self, choice: Choice) -> ChainText:
        affine = self._affine.get(choice)
        return choice_chain(choice, [packed(one) for one in affine.order] if affine else (), self._options)


def _settled(
    delete: Iterable[tuple[str, bytes]], add: Iterable[tuple[str, Element]]
) -> tuple[list[tuple[str, bytes]], list[tuple[str, Element]]]:
    """Without elements of shared sets that one rule gave up and another took in the same transaction."""
    added = {(name, element.key): element for name, element in add}
    both = {one for one in delete if one in added and one[0] in SHARED}
    kept = [(name, element) for (name, _), element in added.items() if (name, element.key) not in both]
    return [one for one in delete if one not in both], kept
