"""What all verbs work with, and who may do what."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from kubewire.apiserver.admission.table import Admission
from kubewire.apiserver.auth.authorization import Attributes, Authorization
from kubewire.apiserver.cache.watch_cache import WatchCache
from kubewire.apiserver.contracts import Call
from kubewire.apiserver.record.ring import WriteRing
from kubewire.apiserver.registry.companions import Companion
from kubewire.apiserver.registry.kinds import Kinds
from kubewire.apiserver.registry.limits import MUTATING_LIMIT, READ_ONLY_LIMIT, InFlight
from kubewire.apiserver.registry.selections import exact_name
from kubewire.apiserver.storage.store import Store
from kubewire.machinery.resources import Resource

if TYPE_CHECKING:
    from kubewire.apiserver.auth.cluster_tokens import ClusterTokens
    from kubewire.apiserver.rbac.escalation import Escalation
    from kubewire.apiserver.registry.accounts import PodAccounts


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of one API server that verbs share.

    Attributes:
        clock: Unix time in seconds.
        random: for uids and generated names.
        companions: by the resource whose writes they accompany.
        accounts: what comes with pods' accounts; None where pods need none.
        escalation: keeps authors of roles and bindings from giving away more than they have; None where nobody checks.
        issuer: signs the tokens of service accounts; None where there are none.
        reads, writes: how many of each may be under way.
    """

    store: Store
    cache: WatchCache
    kinds: Kinds
    authorization: Authorization = field(default_factory=Authorization)
    ring: WriteRing = field(default_factory=WriteRing)
    clock: Callable[[], float] = time.time
    random: Random = field(default_factory=Random)
    reads: InFlight = field(default_factory=lambda: InFlight(READ_ONLY_LIMIT))
    companions: dict[Resource, Companion] = field(default_factory=dict)
    writes: InFlight = field(default_factory=lambda: InFlight(MUTATING_LIMIT))
    accounts: PodAccounts | None = None
    escalation: Escalation | None = None
    issuer: ClusterTokens | None = None
    admission: Admission = field(default_factory=Admission)

    def authorize(self, call: Call, verb: str, field_text: str = "") -> None:
        """Raises StatusError 403 unless the caller may do this.

        Who lists or watches one object by its name (`field_text`) may do so if a role names the object.
        """
        resource = call.resource
        namespace = call.namespace
        if not namespace and resource.kind == "Namespace":
            namespace = call.name  # a namespace is inside itself, so that its own roles can be about it
        self.authorization.require(
            Attributes(
                call.identity,
                verb,
                resource.group,
                resource.version,
                resource.plural,
                call.subresource,
                namespace,
                call.name or (exact_name(field_text) if field_text else ""),
                fields=field_text,
            )
        )
