"""The plug-ins in the order a stock server runs them: first all that change objects, then all that only refuse.

This table decides from the object and the request alone. What has to be looked up is a step of the pipeline beside it:
priority classes (`registry/priority.py`), accounts and their token volume (`registry/accounts.py`). Quotas, limit
ranges and webhooks are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from kubewire.apiserver.admission.contracts import Operation, Plugin
from kubewire.apiserver.admission.objects import (
    keep_system_namespaces,
    protect_with,
    refuse_administrators,
    taint_new_node,
)
from kubewire.apiserver.admission.pods import assign_priority, assign_service_account, tolerate_node_troubles
from kubewire.apiserver.nodes.restriction import PLUGIN as NODE_RESTRICTION
from kubewire.apiserver.nodes.restriction import restrict_node, restrict_own_name, restrict_pod

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.admission.contracts import Request

_CREATE = frozenset({Operation.CREATE})
_WRITE = frozenset({Operation.CREATE, Operation.UPDATE})
_DELETE = frozenset({Operation.DELETE})
_EVERY = frozenset(Operation)


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
    _plugin(NODE_RESTRICTION, "Pod", _EVERY, restrict_pod),
    _plugin(NODE_RESTRICTION, "Node", _EVERY, restrict_node),
    _plugin(NODE_RESTRICTION, "Lease", _EVERY, restrict_own_name, group="coordination.k8s.io"),
    _plugin(NODE_RESTRICTION, "CSINode", _EVERY, restrict_own_name, group="storage.k8s.io"),
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


class Admission:
    """The plug-ins of the table but for those that are left out, found by kind and operation."""

    def __init__(self, disabled: Collection[str] = ()) -> None:
        self._disabled = frozenset(disabled)
        self._mutating = _indexed(MUTATORS, disabled)
        self._validating = _indexed(VALIDATORS, disabled)

    def runs(self, name: str) -> bool:
        """Whether a plug-in is not left out; for parts of it that are no entries of the table."""
        return name not in self._disabled

    def mutate(self, obj: Message, request: Request) -> None:
        """Change `obj` as stock plug-ins would; raises StatusError (Forbidden) if one of them refuses it.

        Not to be called for subresources.
        """
        for act in self._mutating.get((request.resource.group, request.resource.kind, request.operation), ()):
            act(obj, request)

    def validate(self, obj: Message, request: Request) -> None:
        """Raises StatusError (Forbidden) if a stock plug-in refuses `obj`, for a deletion the stored object."""
        for act in self._validating.get((request.resource.group, request.resource.kind, request.operation), ()):
            act(obj, request)


def _indexed(plugins: Sequence[Plugin], disabled: Collection[str]) -> _Index:
    """What runs for each kind and operation, in the order of the table."""
    index: _Index = {}
    for plugin in plugins:
        if plugin.name in disabled:
            continue
        act = cast("_Act", plugin.act)
        for operation in plugin.operations:
            key = (plugin.group, plugin.kind, operation)
            index[key] = (*index.get(key, ()), act)
    return index
