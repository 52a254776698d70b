"""Deleting one object: its plan (`deletion.py`) carried out over the version it was made for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kubewire.apiserver.admission.contracts import Operation, Request
from kubewire.apiserver.cache.versioned import with_revision
from kubewire.apiserver.contracts import Call, Deleted
from kubewire.apiserver.options import DeleteOptions
from kubewire.apiserver.registry.core import Core
from kubewire.apiserver.registry.deletion import Step, failed_precondition
from kubewire.apiserver.registry.kinds import Kind
from kubewire.apiserver.registry.option_rules import check_delete
from kubewire.apiserver.registry.recording import Commit, remember
from kubewire.apiserver.registry.storage_failures import status_of
from kubewire.apiserver.registry.stored import item_of, read_stored
from kubewire.apiserver.registry.storing import UPDATE_ATTEMPTS
from kubewire.apiserver.registry.write import name_of_manager
from kubewire.apiserver.storage.errors import Mismatch, StorageError
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery import errors
from kubewire.machinery.errors import StatusError
from kubewire.machinery.gvk import GroupResource

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.item import Item


async def delete(core: Core, call: Call, options: DeleteOptions) -> Deleted:
    """Delete an object, or begin to."""
    check_delete(options)
    return await _Delete(core, call, options, core.kinds.of(call.resource)).run()


class _Plan(NamedTuple):
    """`obj` is what `found` becomes."""

    step: Step
    found: Item
    obj: Message
    validated_seconds: float


@dataclass(frozen=True, slots=True)
class _Delete:
    """Begins with what the cache has; a refusal, or a deletion already under way, is judged again by the store."""

    core: Core
    call: Call
    options: DeleteOptions
    kind: Kind

    async def run(self) -> Deleted:
        found = self.core.cache.of(self.kind.kept).peek(self.call.namespace, self.call.name)
        found = None if found is None else self.kind.served(found)
        is_fresh = False
        for _ in range(UPDATE_ATTEMPTS):
            plan = self._plan(found, is_fresh=is_fresh)
            if plan is None:
                found = await read_stored(self.core, self.kind, self.call.namespace, self.call.name)
                is_fresh = True
                continue
            try:
                done = await self._carry_out(plan)
            except Mismatch as newer:
                found = item_of(self.kind, self.call.namespace, self.call.name, newer.current)
                is_fresh = True
            else:
                self._record(plan, done)
                return done
        raise errors.conflict(self.call.resource.group_resource, self.call.name)

    def _plan(self, found: Item | None, *, is_fresh: bool) -> _Plan | None:
        """What is to be done; None if what is stored now has to be read to be sure."""
        try:
            plan = self._judge(found)
        except StatusError:
            if is_fresh:
                raise
            return None
        return None if plan.step is Step.KEEP and not is_fresh else plan

    def _judge(self, found: Item | None) -> _Plan:
        call = self.call
        resource = call.resource
        if found is None:
            raise errors.not_found(resource.group_resource, call.name)
        obj = self.kind.decode(found)
        named = GroupResource(resource.group, resource.kind)
        failure = failed_precondition(named, call.name, metadata_of(obj), found.resource_version, self.options)
        if failure is not None:
            raise failure
        self.core.admission.validate(
            obj, Request(resource, Operation.DELETE, call.namespace, call.name, obj, call.identity)
        )
        step = self.kind.deletion.plan(obj, self.options, int(self.core.clock()))
        return _Plan(step, found, obj, self.core.clock())

    async def _carry_out(self, plan: _Plan) -> Deleted:
        """Raises Mismatch when the object has been written in between."""
        step, found, obj, _ = plan
        if step is Step.KEEP:
            return Deleted(found, is_gone=False)
        if step is Step.REMOVE:
            revision = found.revision if self.options.dry_run else await self._remove(found, obj)
            return Deleted(with_revision(found, revision), is_gone=True)
        raw = obj.SerializeToString(deterministic=True)
        revision = found.revision if self.options.dry_run else await self._mark(found, raw)
        return Deleted(self.kind.item(found.namespace, found.name, revision, raw), is_gone=False)

    async def _remove(self, found: Item, obj: Message) -> int:
        key = self.kind.key(found.namespace, found.name)
        try:
            revision = await self.core.store.delete(key, found.revision)
        except Mismatch:
            raise
        except StorageError as error:
            raise self._failure(error) from None
        companion = self.core.companions.get(self.kind.resource)
        if companion is not None:
            await companion.settle(None, obj)
        return revision

    async def _mark(self, found: Item, raw: bytes) -> int:
        kind = self.kind
        key, value = kind.key(found.namespace, found.name), kind.stored_value(raw)
        try:
            return await self.core.store.replace(key, value, found.revision, ttl_seconds=kind.ttl_seconds)
        except Mismatch:
            raise
        except StorageError as error:
            raise self._failure(error) from None

    def _record(self, plan: _Plan, done: Deleted) -> None:
        if plan.step is not Step.KEEP and not self.options.dry_run:
            manager = name_of_manager("", self.call.user_agent)
            uid = metadata_of(plan.obj).uid
            commit = Commit(self.kind.name, done.item, uid, "delete", manager, plan.validated_seconds)
            remember(self.core, self.call, commit)

    def _failure(self, error: StorageError) -> StatusError:
        return status_of(error, self.call.resource.group_resource, self.call.name, "delete")
