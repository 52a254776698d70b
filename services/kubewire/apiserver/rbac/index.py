"""All roles and bindings, kept up with the cache, and found by whom they are about.

Changes are only noted when they arrive; objects are decoded when somebody asks, and each once. Where nobody but
administrators acts, that is never.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from kubewire.apiserver.auth.account_claims import PREFIX as ACCOUNT_PREFIX
from kubewire.apiserver.rbac.rules import Rule

if TYPE_CHECKING:
    from kubewire.api.rbac.v1.cluster_role_binding_pb2 import ClusterRoleBinding
    from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
    from kubewire.api.rbac.v1.role_binding_pb2 import RoleBinding
    from kubewire.api.rbac.v1.role_pb2 import Role
    from kubewire.api.rbac.v1.subject_pb2 import Subject
    from kubewire.apiserver.bootstrap.rbac import RbacObject
    from kubewire.apiserver.contracts import Identity
    from kubewire.apiserver.item import Item

Place: TypeAlias = tuple[str, str]
"""Namespace, empty for cluster-scoped objects, and name."""

SubjectKey: TypeAlias = tuple[str, str]
"""Kind, User or Group, and name; accounts count as the users they are."""

_USER: Final = "User"
_GROUP: Final = "Group"
CLUSTER_ROLE: Final = "ClusterRole"


class RoleRef(NamedTuple):
    """The role a binding binds to. `namespace` is that of a Role."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}"'


class Binding(NamedTuple):
    """One binding and one of its subjects. `namespace` empty: it counts everywhere."""

    namespace: str
    name: str
    role: RoleRef
    subject: str

    @property
    def reason(self) -> str:
        """Why a request is allowed by it, in upstream's words."""
        own = f'RoleBinding "{self.name}/{self.namespace}"' if self.namespace else f'ClusterRoleBinding "{self.name}"'
        return f"RBAC: allowed by {own} of {self.role} to {self.subject}"


class RbacIndex:
    """Rules by role, and bindings by subject.

    Attributes:
        is_stale: something changed since `settle`.
    """

    def __init__(self, defaults: Callable[[], Iterable[RbacObject]] = tuple) -> None:
        """`defaults` are there from the first moment, even while they are still being stored."""
        self.is_stale = True
        self._defaults: Callable[[], Iterable[RbacObject]] | None = defaults
        self._pending: dict[tuple[str, Place], Item | None] = {}
        self._rules: dict[RoleRef, tuple[Rule, ...]] = {}
        self._bindings: dict[tuple[str, Place], tuple[tuple[SubjectKey, Binding], ...]] = {}
        self._by_subject: dict[SubjectKey, dict[tuple[str, Place], Binding]] = {}
        self._places: dict[str, set[Place]] = {}

    def follower(self, kind: str) -> RbacFollower:
        """What has to hear of changes of one of the four kinds."""
        return RbacFollower(kind, self)

    def note(self, kind: str, place: Place, item: Item | None) -> None:
        """An object changed; None: it is gone."""
        self._pending[kind, place] = item
        places = self._places.setdefault(kind, set())
        (places.discard if item is None else places.add)(place)
        self.is_stale = True

    def note_all(self, kind: str, items: Iterable[Item]) -> None:
        """These are all objects of the kind."""
        for place in tuple(self._places.get(kind, ())):
            self.note(kind, place, None)
        for item in items:
            self.note(kind, (item.namespace, item.name), item)

    def settle(self) -> None:
        """Take over what was noted."""
        if self._defaults is not None:
            for one in self._defaults():
                key = (one.DESCRIPTOR.name, (one.metadata.namespace, one.metadata.name))
                if key not in self._pending:
                    self._take(*key, one)
            self._defaults = None
        for (kind, place), item in self._pending.items():
            self._take(kind, place, None if item is None else cast("RbacObject", item.message))
        self._pending.clear()
        self.is_stale = False

    def rules(self, role: RoleRef) -> tuple[Rule, ...] | None:
        """What a role allows; None if there is no such role."""
        return self._rules.get(role)

    def bindings(self, identity: Identity) -> Iterator[Binding]:
        """Those that are about a user, or one of the user's groups."""
        yield from self._by_subject.get((_USER, identity.name), {}).values()
        for group in identity.groups:
            yield from self._by_subject.get((_GROUP, group), {}).values()

    def _take(self, kind: str, place: Place, obj: RbacObject | None) -> None:
        if kind in _ROLES:
            ref = RoleRef(kind, *place)
            self._rules.pop(ref, None)
            if obj is not None:
                self._rules[ref] = tuple(map(Rule.of, cast("ClusterRole | Role", obj).rules))
        else:
            self._forget_binding((kind, place))
            if obj is not None:
                self._take_binding((kind, place), cast("ClusterRoleBinding | RoleBinding", obj))

    def _forget_binding(self, key: tuple[str, Place]) -> None:
        for subject, _ in self._bindings.pop(key, ()):
            found = self._by_subject.get(subject)
            if found is not None:
                found.pop(key, None)
                if not found:
                    del self._by_subject[subject]

    def _take_binding(self, key: tuple[str, Place], obj: ClusterRoleBinding | RoleBinding) -> None:
        taken = self._bindings[key] = tuple(_read(obj, key[1]))
        for subject, binding in taken:
            self._by_subject.setdefault(subject, {})[key] = binding


_ROLES: Final = frozenset({"Role", CLUSTER_ROLE})
KINDS: Final = {
    "Role": "roles",
    CLUSTER_ROLE: "clusterroles",
    "RoleBinding": "rolebindings",
    "ClusterRoleBinding": "clusterrolebindings",
}
"""What the index is made of, and the resources' names."""


class RbacFollower:
    """Notes changes of one kind."""

    def __init__(self, kind: str, index: RbacIndex) -> None:
        self._kind = kind
        self._index = index

    def change(self, item: Item | None, previous: Item | None) -> None:
        """See `cache.kind.Follower`."""
        one = item or previous
        if one is not None:
            self._index.note(self._kind, (one.namespace, one.name), item)

    def replace(self, items: Iterable[Item]) -> None:
        """See `cache.kind.Follower`."""
        self._index.note_all(self._kind, items)


def _read(binding: ClusterRoleBinding | RoleBinding, place: Place) -> Iterator[tuple[SubjectKey, Binding]]:
    role = role_of(binding, place[0])
    for subject in binding.subjects:
        key = _key_of(subject, place[0])
        if key is not None:
            yield key, Binding(*place, role, _text_of(subject))


def role_of(binding: ClusterRoleBinding | RoleBinding, namespace: str) -> RoleRef:
    """The role it binds to."""
    ref = binding.roleRef
    return RoleRef(ref.kind, "" if ref.kind == CLUSTER_ROLE else namespace, ref.name)


def _key_of(subject: Subject, namespace: str) -> SubjectKey | None:
    if subject.kind == "ServiceAccount":
        where = subject.namespace or namespace
        return (_USER, f"{ACCOUNT_PREFIX}{where}:{subject.name}") if where else None
    return (subject.kind, subject.name)


def _text_of(subject: Subject) -> str:
    if subject.kind == "ServiceAccount":
        return f'ServiceAccount "{subject.name}/{subject.namespace}"'
    return f'{subject.kind} "{subject.name}"'
