"""`pods/binding`: a scheduler says on which node a pod runs. One update of the pod, without the rest of the pipeline.

It is the hottest write of a busy cluster after the creation of pods, and touches two fields.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from kubewire.apiserver.contracts import Written
from kubewire.apiserver.registry.decoding import decode_message
from kubewire.apiserver.registry.recording import record
from kubewire.apiserver.registry.storing import Outcome, store_changed
from kubewire.apiserver.registry.subresources.contracts import Special
from kubewire.apiserver.registry.write import begin
from kubewire.machinery import errors, field_errors
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupKind, GroupResource, GroupVersionKind

if TYPE_CHECKING:
    from kubewire.api.core.v1.binding_pb2 import Binding
    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.apiserver.contracts import Body, Call
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.core import Core
    from kubewire.apiserver.registry.write import Write

BINDING: Final = GroupVersionKind("", "v1", "Binding")
_TARGET: Final = ROOT.child("target")
_RESOURCE: Final = GroupResource("", "pods/binding")
_SCHEDULED: Final = "PodScheduled"


class PodBinding(Special):
    """The subresource; the pod is named by the request."""

    async def create(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
        """Bind the pod. Answers with the pod; the faces make a Status of it."""
        binding = cast("Binding", decode_message(body, BINDING, call, options))
        if binding.metadata.name and binding.metadata.name != call.name:
            raise errors.bad_request("name in URL does not match name in Binding object")
        return await bind(core, call, binding, options)

    async def create_named(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
        """Bind the pod that the Binding is named after."""
        binding = cast("Binding", decode_message(body, BINDING, call, options))
        name = binding.metadata.name
        if not name:
            raise errors.bad_request(f"name: want the name of one of {call.resource.plural} in metadata.name")
        return await bind(core, replace(call, name=name), binding, options)


class Bindings(Special):
    """`bindings`, an older way to the same: the pod is named by the Binding."""

    async def create(self, core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
        """Bind the pod the Binding is named after."""
        binding = cast("Binding", decode_message(body, BINDING, call, options))
        pods = core.kinds.named("", "v1", "pods").resource
        pod_call = replace(call, resource=pods, name=binding.metadata.name, subresource="binding")
        return await bind(core, pod_call, binding, options)


async def bind(core: Core, call: Call, binding: Binding, options: WriteOptions) -> Written:
    """Put the pod on the node, unless it has one or is not to have one.

    Raises:
        StatusError: 404 without the pod, 409 if it is bound, gated or being deleted, or not the one that is meant.
    """
    _validate(binding)
    write = begin(core, call, "create", options)
    await store_changed(write, lambda one: _assign(one, binding))
    record(write)
    return Written(write.result.item, created=True)


def _validate(binding: Binding) -> None:
    problems = []
    if binding.target.kind not in ("", "Node"):
        problems.append(field_errors.not_supported(_TARGET.child("kind"), binding.target.kind, ("Node", "<empty>")))
    if not binding.target.name:
        problems.append(field_errors.required(_TARGET.child("name")))
    if problems:
        raise errors.invalid(GroupKind("", "Binding"), binding.metadata.name, problems)


def _assign(write: Write, binding: Binding) -> Outcome:
    if write.old is None or write.found is None:
        raise errors.not_found(GroupResource("", "pods"), write.call.name)
    old = cast("Pod", write.old)
    why = _obstacle(old, binding, write.found.resource_version)
    if why:
        raise errors.conflict(_RESOURCE, write.call.name, why)
    pod = type(old)()
    pod.CopyFrom(old)
    pod.spec.nodeName = binding.target.name
    pod.status.ClearField("nominatedNodeName")
    for key, value in binding.metadata.annotations.items():
        pod.metadata.annotations[key] = value
    for key, value in binding.metadata.labels.items():
        pod.metadata.labels[key] = value
    set_scheduled(pod, write.ctx.now_seconds)
    write.obj = pod
    return Outcome.REPLACE


def _obstacle(pod: Pod, binding: Binding, resource_version: str) -> str:
    """Why the pod cannot be bound now; empty if it can."""
    meta = binding.metadata
    if meta.uid and meta.uid != pod.metadata.uid:
        return f"Precondition failed: UID in precondition: {meta.uid}, UID in object meta: {pod.metadata.uid}"
    if meta.resourceVersion and meta.resourceVersion != resource_version:
        return (
            f"Precondition failed: ResourceVersion in precondition: {meta.resourceVersion}, "
            f"ResourceVersion in object meta: {resource_version}"
        )
    if pod.metadata.HasField("deletionTimestamp"):
        return f"pod {pod.metadata.name} is being deleted, cannot be assigned to a host"
    if pod.spec.nodeName:
        return f'pod {pod.metadata.name} is already assigned to node "{pod.spec.nodeName}"'
    if pod.spec.schedulingGates:
        return f"pod {pod.metadata.name} has non-empty .spec.schedulingGates"
    return ""


def set_scheduled(pod: Pod, now_seconds: int) -> None:
    """The condition PodScheduled becomes true."""
    condition = next((one for one in pod.status.conditions if one.type == _SCHEDULED), None)
    if condition is None:
        condition = pod.status.conditions.add(type=_SCHEDULED)
    if condition.status != "True":
        condition.lastTransitionTime.Clear()
        condition.lastTransitionTime.seconds = now_seconds
    condition.status = "True"
    condition.ClearField("reason")
    condition.ClearField("message")
    condition.ClearField("observedGeneration")
