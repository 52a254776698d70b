"""The ClusterRole aggregator: keeps the rules of `admin`, `edit`, `view` and their like those of their parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kubewire.client.controller import Controller
from kubewire.client.objects import ObjectKey
from kubewire.controller_manager.calls import is_missing
from kubewire.controller_manager.cluster_role_aggregation.plan import gathered, is_aggregated, selects
from kubewire.controller_manager.context import Context
from kubewire.machinery.errors import StatusError

NAME: Final = "clusterrole-aggregation-controller"


class ClusterRoleAggregator:
    """Looks at one aggregated role."""

    def __init__(self, context: Context) -> None:
        self._roles = context.informers.informer(ClusterRole)
        self._client = context.client.resource(ClusterRole)
        self._controller = Controller(NAME, self.reconcile, metrics=context.metrics.queues)
        self._controller.watch(self._roles, self._concerned)

    @property
    def controllers(self) -> Sequence[Controller]:
        """Its one loop."""
        return (self._controller,)

    async def run(self) -> None:
        """Work until cancelled."""
        await self._controller.run()

    async def reconcile(self, key: ObjectKey) -> None:
        """Give a role the rules of those it selects.

        Raises:
            StatusError: it could not be written.
        """
        role = self._roles.cache.get(key)
        if role is None or not is_aggregated(role):
            return
        changed = gathered(role, self._roles.cache.list())
        if changed is None:
            return
        try:
            await self._client.update(changed)
        except StatusError as error:
            if not is_missing(error):
                raise

    def _concerned(self, role: ClusterRole) -> Iterable[ObjectKey]:
        """The role itself, and those that have its rules."""
        if is_aggregated(role):
            yield ObjectKey("", role.metadata.name)
        for other in self._roles.cache.list():
            if is_aggregated(other) and selects(other, role):
                yield ObjectKey("", other.metadata.name)
