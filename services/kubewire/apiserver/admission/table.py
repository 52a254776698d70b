"""The plug-ins in the order a stock server runs them: first all that change objects, then all that only refuse.

Plug-ins that look at other objects (quotas, limit ranges, webhooks, the token volume of service accounts) are
not here: this table decides from the object alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from kubewire.apiserver.admission.contracts import Operation, Plugin
from kubewire.apiserver.admission.objects import (
    keep_system_namespaces,
    protect_with,
    refuse_administrators,
    taint_new_node,
)
from kubewire.apiserver.admission.pods import assign_priority, assign_service_account, tolerate_node_troubles

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.admission.contracts import Request

_CREATE = frozenset({Operation.CREATE})
_WRITE = frozenset({Operation.CREATE, Operation.UPDATE})
_DELETE = frozenset({Operation.DELETE})


def _plugin(name: str, kind: str, operations: frozenset[Operation], act: object, *, group: str = "") -> Plugin:
    run = cast("Callable[..., None]", act)
    return Plugin(name=name, group=group, kind=kind, operations=operations, act=run)


_IN_USE = "StorageObjectInUseProtection"
_pvc_protection = protect_with("kubernetes.io/pvc-protection")
_pv_protection = protect_with("kubernetes.io/pv-protection")
_vac_protection = protect_with("kubernetes.io/vac-protection")

MUTATORS: Final[Sequence[Plugin]] = (
    _plugin("ServiceAccount", "Pod", _CREATE, assign_service_account),
    _plugin("TaintNodesByCondition", "Node", _CREATE, taint_new_node),
    _plugin("Priority", "Pod", _WRITE, assign_priority),
    _plugin("DefaultTolerationSeconds", "Pod", _WRITE, tolerate_node_troubles),
    _plugin(_IN_USE, "PersistentVolume", _CREATE, _pv_protection),
    _plugin(_IN_USE, "PersistentVolumeClaim", _CREATE, _pvc_protection),
    _plugin(_IN_USE, "VolumeAttributesClass", _CREATE, _vac_protection, group="storage.k8s.io"),
)

VALIDATORS: Final[Sequence[Plugin]] = (
    _plugin("NamespaceLifecycle", "Namespace", _DELETE, keep_system_namespaces),
    _plugin(
        "CertificateSubjectRestriction",
        "CertificateSigningRequest",
        _CREATE,
        refuse_administrators,
        group="certificates.k8s.io",
    ),
)


_Act: TypeAlias = "Callable[[Message, Request], None]"
_Index: TypeAlias = dict[tuple[str, str, Operation], tuple[_Act, ...]]


def _indexed(plugins: Sequence[Plugin]) -> _Index:
    """What runs for each kind and operation, in the order of the table."""
    index: _Index = {}
    for plugin in plugins:
        act = cast("_Act", plugin.act)
        for operation in plugin.operations:
            key = (plugin.group, plugin.kind, operation)
            index[key] = (*index.get(key, ()), act)
    return index


_MUTATING = _indexed(MUTATORS)
_VALIDATING = _indexed(VALIDATORS)


def mutate(obj: Message, request: Request) -> None:
    """Change `obj` as stock plug-ins would; raises StatusError (Forbidden) if one of them refuses it.

    Not to be called for subresources.
    """
    for act in _MUTATING.get((request.resource.group, request.resource.kind, request.operation), ()):
        act(obj, request)


def validate(obj: Message, request: Request) -> None:
    """Raises StatusError (Forbidden) if a stock plug-in refuses `obj`, which for a deletion is the stored object."""
    for act in _VALIDATING.get((request.resource.group, request.resource.kind, request.operation), ()):
        act(obj, request)
