"""How many requests may be inside the server at once, reads and writes counted apart; watches do not count."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from kubewire.apiserver.auth.authorization import PRIVILEGED_GROUP
from kubewire.apiserver.contracts import Identity
from kubewire.machinery import errors

READ_ONLY_LIMIT: Final = 400
MUTATING_LIMIT: Final = 200
_RETRY_AFTER_SECONDS: Final = 1


class InFlight:
    """Entered once for each request that is being served.

    Members of `system:masters` are let in beyond the limit: whoever has to repair an overloaded server must get in.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0

    def admit(self, identity: Identity) -> InFlight:
        """Use as `with in_flight.admit(identity):`.

        Raises:
            StatusError: 429, the limit is reached.
        """
        if self.count >= self._limit and PRIVILEGED_GROUP not in identity.groups:
            raise errors.too_many_requests("too many requests, please try again later", _RETRY_AFTER_SECONDS)
        return self

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.count -= 1
