"""How many requests may be inside the server at once, reads and writes counted apart; watches do not count."""

from __future__ import annotations

from types import TracebackType
from typing import Final

from kubewire.apiserver.auth.authorization import PRIVILEGED_GROUP
from kubewire.apiserver.contracts import Call
from kubewire.apiserver.nodes.identity import is_node
from kubewire.machinery import errors

READ_ONLY_LIMIT: Final = 400
MUTATING_LIMIT: Final = 200
_RETRY_AFTER_SECONDS: Final = 1


class InFlight:
    """Entered once for each request that is being served.

    Let in beyond the limit are members of `system:masters`, since whoever has to repair an overloaded server must get
    in, and the leases of nodes and of components that elect leaders: without them an overloaded server would count
    nodes as lost and make leaders change, which is more load. (Upstream's priority levels begin with the same two.)
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0

    def admit(self, call: Call) -> InFlight:
        """Use as `with in_flight.admit(call):`.

        Raises:
            StatusError: 429, the limit is reached.
        """
        if self.count >= self._limit and not _is_vital(call):
            raise errors.too_many_requests("too many requests, please try again later", _RETRY_AFTER_SECONDS)
        return self

    def __enter__(self) -> None:
        self.count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.count -= 1


def _is_vital(call: Call) -> bool:
    identity = call.identity
    if PRIVILEGED_GROUP in identity.groups:
        return True
    is_lease = call.resource.plural == "leases" and call.resource.group == "coordination.k8s.io"
    return is_lease and (is_node(identity) or identity.name in _LEADERS)


_LEADERS: Final = frozenset({"system:kube-controller-manager", "system:kube-scheduler"})
