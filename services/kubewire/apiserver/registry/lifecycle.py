"""Namespaces take new objects while they exist and are not being deleted (admission plug-in NamespaceLifecycle)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.registry.stored import read_stored
from kubewire.machinery import errors
from kubewire.machinery.errors import Cause, StatusError

if TYPE_CHECKING:
    from kubewire.apiserver.item import Item
    from kubewire.apiserver.registry.core import Core
    from kubewire.machinery.gvk import GroupResource

_TERMINATING: Final = "NamespaceTerminating"


def is_open(core: Core, namespace: str) -> bool:
    """Whether the cache knows the namespace and knows nothing against it."""
    found = core.cache.of(core.kinds.namespaces.kept).peek("", namespace)
    return found is not None and not is_terminating(found)


async def require_open(core: Core, namespace: str, resource: GroupResource, name: str) -> None:
    """Returns when an object of `resource` may be created in `namespace`.

    The cache may not have seen a namespace that was just created, so one that is missing there is looked for in the
    store. A namespace that the cache has not yet seen ending is an accepted race: its content is deleted all the same.

    Raises:
        StatusError: 404, it does not exist; 403, it is being deleted.
    """
    kind = core.kinds.namespaces
    found = core.cache.of(kind.kept).peek("", namespace)
    if found is None:
        found = await read_stored(core, kind, "", namespace)
    if found is None:
        raise errors.not_found(kind.resource.group_resource, namespace)
    if is_terminating(found):
        raise _terminating(namespace, resource, name)


def is_terminating(namespace: Item) -> bool:
    """Whether a namespace is being deleted."""
    return namespace.metadata.HasField("deletionTimestamp")


def _terminating(namespace: str, resource: GroupResource, name: str) -> StatusError:
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    error = errors.forbidden(resource, name, why)
    cause = Cause(_TERMINATING, f"namespace {namespace} is being terminated", "metadata.namespace")
    assert error.details is not None, "a Forbidden about a resource has details"
    return StatusError(error.code, error.reason, error.message, error.details._replace(causes=(cause,)))
