"""A pod's priority is the number behind its PriorityClass (admission plug-in Priority, the part that looks things up).

Classes every cluster has are known to the plug-in itself; here are those that people make.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kubewire.apiserver.admission.pods import SYSTEM_PRIORITIES
from kubewire.apiserver.registry.stored import read_stored
from kubewire.machinery import errors

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.scheduling.v1.priority_class_pb2 import PriorityClass
    from kubewire.apiserver.registry.write import Write

_DEFAULT_POLICY: Final = "PreemptLowerPriority"


def assign_priority(write: Write) -> Awaitable[None] | None:
    """Give a new pod the priority of its class."""
    resource = write.kind.resource
    if resource.kind != "Pod" or resource.group:
        return None
    pod = cast("Pod", write.obj)
    return None if pod.spec.priorityClassName in SYSTEM_PRIORITIES else _assign(write, pod)


async def _assign(write: Write, pod: Pod) -> None:
    found = await _class_named(write, pod.spec.priorityClassName)
    policy = found.preemptionPolicy or _DEFAULT_POLICY
    if pod.spec.HasField("priority") and pod.spec.priority != found.value:
        raise _computed_differently(write, f"the integer value of priority ({pod.spec.priority})", str(found.value))
    if pod.spec.HasField("preemptionPolicy") and pod.spec.preemptionPolicy != policy:
        given = f"the string value of PreemptionPolicy ({pod.spec.preemptionPolicy})"
        raise _computed_differently(write, given, policy)
    pod.spec.priority = found.value
    pod.spec.preemptionPolicy = policy


async def _class_named(write: Write, name: str) -> PriorityClass:
    core = write.core
    kind = core.kinds.named("scheduling.k8s.io", "v1", "priorityclasses")
    item = core.cache.of(kind.kept).peek("", name) or await read_stored(core, kind, "", name)
    if item is None:
        why = f"no PriorityClass with name {name} was found"
        raise errors.forbidden(write.kind.resource.group_resource, write.meta.name, why)
    return cast("PriorityClass", item.message)


def _computed_differently(write: Write, given: str, computed: str) -> errors.StatusError:
    why = (
        f"{given} must not be provided in pod spec; "
        f"priority admission controller computed {computed} from the given PriorityClass name"
    )
    return errors.forbidden(write.kind.resource.group_resource, write.meta.name, why)
