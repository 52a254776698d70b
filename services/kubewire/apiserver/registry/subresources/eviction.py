"""`pods/eviction`: delete a pod unless that would disturb more pods at once than a PodDisruptionBudget allows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from kubewire.apiserver.cache.selection import Selection
from kubewire.apiserver.cache.versions import ANY
from kubewire.apiserver.contracts import Written
from kubewire.apiserver.options import DeleteOptions, GetOptions, Preconditions, WriteOptions
from kubewire.apiserver.registry import reads
from kubewire.apiserver.registry.decoding import decode_message
from kubewire.apiserver.registry.deletes import delete
from kubewire.apiserver.registry.recording import record
from kubewire.apiserver.registry.storing import Outcome, store_changed
from kubewire.apiserver.registry.subresources.contracts import Special
from kubewire.apiserver.registry.write import Write, begin
from kubewire.machinery import errors
from kubewire.machinery.errors import Cause, Details, Reason, StatusError
from kubewire.machinery.gvk import GroupResource, GroupVersionKind
from kubewire.machinery.selectors import labels

if TYPE_CHECKING:
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.policy.v1.eviction_pb2 import Eviction
    from kubewire.api.policy.v1.pod_disruption_budget_pb2 import PodDisruptionBudget
    from kubewire.apiserver.contracts import Body, Call
    from kubewire.apiserver.item import Item
    from kubewire.apiserver.registry.core import Core

EVICTION: Final = GroupVersionKind("policy", "v1", "Eviction")
_BUDGETS: Final = GroupResource("policy", "poddisruptionbudgets")
_CAUSE: Final = "DisruptionBudget"
_REFUSAL: Final = "Cannot evict pod as it would violate the pod's disruption budget."
_UNOBSERVED_RETRY_SECONDS: Final = 10
_DISRUPTED_LIMIT: Final = 2000
"""Evictions that may be unconfirmed at once, since each is kept in the budget's status."""


class PodEviction(Special):
    """The subresource; the pod is named by the request."""

    async def create(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
        """Evict the pod. Answers with the pod; the faces make a Status of it."""
        eviction = cast("Eviction", decode_message(body, EVICTION, call, options))
        if eviction.metadata.name and eviction.metadata.name != call.name:
            raise errors.bad_request("name in URL does not match name in Eviction object")
        pod_call = replace(call, subresource="")
        item = await reads.get(core, pod_call, GetOptions())
        asked = _delete_options(eviction, options)
        await _spend_budget(core, call, item, WriteOptions(dry_run=asked.dry_run))
        conditions = asked.preconditions
        if conditions.uid is None:
            conditions = replace(conditions, uid=item.metadata.uid)
        deleted = await delete(core, pod_call, replace(asked, preconditions=conditions))
        return Written(deleted.item, created=True)


def _delete_options(eviction: Eviction, options: WriteOptions) -> DeleteOptions:
    asked = eviction.deleteOptions
    conditions = asked.preconditions
    return DeleteOptions(
        grace_period_seconds=asked.gracePeriodSeconds if asked.HasField("gracePeriodSeconds") else None,
        propagation_policy=asked.propagationPolicy or None,
        preconditions=Preconditions(
            uid=conditions.uid if conditions.HasField("uid") else None,
            resource_version=conditions.resourceVersion if conditions.HasField("resourceVersion") else None,
        ),
        dry_run=options.dry_run or bool(asked.dryRun),
    )


async def _spend_budget(core: Core, call: Call, item: Item, options: WriteOptions) -> None:
    """Take one disruption from the pod's budget.

    Raises:
        StatusError: 429, there is none left; 500, the pod has several budgets.
    """
    pod = cast("Pod", item.message)
    if is_disturbed_already(pod):
        return
    budgets = core.kinds.named("policy", "v1", "poddisruptionbudgets")
    page = await core.cache.of(budgets.kept).list(Selection(item.namespace), at=ANY)
    protecting = [budget for budget in page.items if protects(cast("PodDisruptionBudget", budget.message), pod)]
    if len(protecting) > 1:
        why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise StatusError(500, Reason.UNKNOWN, why)
    if not protecting:
        return
    budget_call = replace(call, resource=budgets.resource, name=protecting[0].name, subresource="status")
    write = begin(core, budget_call, "update", options)
    await store_changed(write, lambda one: _decrement(one, pod))
    record(write)


def is_disturbed_already(pod: Pod) -> bool:
    """Whether evicting the pod costs nobody anything: it does not serve yet, or no longer."""
    return pod.status.phase in ("Succeeded", "Failed", "Pending") or pod.metadata.HasField("deletionTimestamp")


def protects(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether the pod is one of those the budget is about."""
    if not budget.spec.HasField("selector"):
        return False
    return labels.from_message(budget.spec.selector).matches(pod.metadata.labels)


def _decrement(write: Write, pod: Pod) -> Outcome:
    if write.old is None:
        raise errors.not_found(_BUDGETS, write.call.name)
    budget = cast("PodDisruptionBudget", write.old)
    if not is_ready(pod) and is_free_when_unready(budget):
        write.obj = budget
        return Outcome.SAME
    refusal = refusal_of(budget)
    if refusal is not None:
        raise refusal
    spent = type(budget)()
    spent.CopyFrom(budget)
    spent.status.disruptionsAllowed -= 1
    spent.status.disruptedPods[pod.metadata.name].seconds = write.ctx.now_seconds
    write.obj = spent
    return Outcome.REPLACE


def is_ready(pod: Pod) -> bool:
    """Whether the pod serves."""
    return any(one.type == "Ready" and one.status == "True" for one in pod.status.conditions)


def is_free_when_unready(budget: PodDisruptionBudget) -> bool:
    """Whether pods that are not ready may go without being counted."""
    if budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow":
        return True
    status = budget.status
    return status.currentHealthy >= status.desiredHealthy > 0


def refusal_of(budget: PodDisruptionBudget) -> StatusError | None:
    """Why no pod of the budget may be disturbed now; None if one may."""
    name, status = budget.metadata.name, budget.status
    if status.observedGeneration < budget.metadata.generation:
        why = f"The disruption budget {name} is still being processed by the server."
        return _too_many(why, _UNOBSERVED_RETRY_SECONDS)
    if status.disruptionsAllowed < 0:
        return errors.forbidden(_BUDGETS, name, "pod disruption budget is negative")
    if len(status.disruptedPods) > _DISRUPTED_LIMIT:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        return errors.forbidden(_BUDGETS, name, why)
    if status.disruptionsAllowed == 0:
        needed, has = status.desiredHealthy, status.currentHealthy
        return _too_many(f"The disruption budget {name} needs {needed} healthy pods and has {has} currently", 0)
    return None


def _too_many(why: str, retry_after_seconds: int) -> StatusError:
    details = Details(causes=(Cause(_CAUSE, why),), retry_after_seconds=retry_after_seconds)
    return StatusError(429, Reason.TOO_MANY_REQUESTS, _REFUSAL, details)
