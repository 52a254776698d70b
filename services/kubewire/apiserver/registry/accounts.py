"""A pod runs under an account that exists, and is given what comes with it (admission plug-in ServiceAccount).

The part that looks things up; which account a pod is for that names none is decided by the plug-in's table entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kubewire.apiserver.admission.pods import MIRROR
from kubewire.apiserver.admission.token_volume import AccountRules, follow_account
from kubewire.apiserver.registry.stored import read_stored
from kubewire.machinery import errors

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kubewire.api.core.v1.pod_pb2 import Pod
    from kubewire.api.core.v1.service_account_pb2 import ServiceAccount
    from kubewire.apiserver.item import Item
    from kubewire.apiserver.registry.write import Write
    from kubewire.machinery.errors import StatusError

PLUGIN: Final = "ServiceAccount"
_REMEMBERED: Final = 1024


class PodAccounts:
    """What accounts say, remembered while they stay as they are: a workload's pods all ask for the same."""

    def __init__(self) -> None:
        self._rules: dict[str, tuple[int, AccountRules]] = {}

    def of(self, account: Item) -> AccountRules:
        """What an account says of its pods."""
        known = self._rules.get(account.key)
        if known is not None and known[0] == account.revision:
            return known[1]
        if len(self._rules) >= _REMEMBERED:
            self._rules.clear()
        rules = AccountRules.of(cast("ServiceAccount", account.message))
        self._rules[account.key] = (account.revision, rules)
        return rules


def give_account(write: Write) -> Awaitable[None] | None:
    """See that a new pod's account is there, and give the pod what comes with it."""
    accounts, kind = write.core.accounts, write.kind.resource
    if accounts is None or kind.kind != "Pod" or kind.group:
        return None
    pod = cast("Pod", write.obj)
    if MIRROR in pod.metadata.annotations:
        _check_mirror(write, pod)
        return None
    account = write.core.cache.of(write.core.kinds.accounts.kept).peek(
        write.call.namespace, pod.spec.serviceAccountName
    )
    if account is None:
        return _find(write, pod, accounts)
    follow_account(pod, accounts.of(account), write.core.random)
    return None


async def _find(write: Write, pod: Pod, accounts: PodAccounts) -> None:
    """The account may be so new that the cache has not seen it."""
    namespace, name = write.call.namespace, pod.spec.serviceAccountName
    account = await read_stored(write.core, write.core.kinds.accounts, namespace, name)
    if account is None:
        why = f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found'
        raise _forbidden(write, why)
    follow_account(pod, accounts.of(account), write.core.random)


def _check_mirror(write: Write, pod: Pod) -> None:
    """A static pod's picture has nothing of the API's: its node started it without asking.

    Raises:
        StatusError: 403, it names an account, or wants a token.
    """
    if pod.spec.serviceAccountName:
        raise _forbidden(write, "a mirror pod may not reference service accounts")
    for volume in pod.spec.volumes:
        if volume.volumeSource.HasField("secret"):
            raise _forbidden(write, "a mirror pod may not reference secrets")
        if any(source.HasField("serviceAccountToken") for source in volume.volumeSource.projected.sources):
            raise _forbidden(write, "a mirror pod may not use ServiceAccountToken volume projections")


def _forbidden(write: Write, why: str) -> StatusError:
    return errors.forbidden(write.kind.resource.group_resource, write.meta.name, why)
