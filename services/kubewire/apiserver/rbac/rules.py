"""What rules of roles mean: whether one covers a request, and whether some cover others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Final, NamedTuple

from kubewire.machinery.quoting import quote

if TYPE_CHECKING:
    from kubewire.api.rbac.v1.subject_pb2 import PolicyRule

ALL: Final = "*"


class Rule(NamedTuple):
    """One rule. `names` empty: all objects; `urls` are for requests that are about no resource."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    urls: tuple[str, ...] = ()

    @classmethod
    def of(cls, rule: PolicyRule) -> Rule:
        """That of a message."""
        return cls(
            tuple(rule.verbs),
            tuple(rule.apiGroups),
            tuple(rule.resources),
            tuple(rule.resourceNames),
            tuple(rule.nonResourceURLs),
        )

    def is_about(self, verb: str, group: str, resource: str, subresource: str) -> bool:
        """Whether it allows a verb on a resource, at least for some names."""
        return _has(self.verbs, verb) and _has(self.groups, group) and is_resource_meant(self, resource, subresource)

    def allows_path(self, verb: str, path: str) -> bool:
        """Whether it allows a verb on a path that is no resource."""
        return _has(self.verbs, verb) and any(is_path_meant(url, path) for url in self.urls)

    def __str__(self) -> str:
        """As messages about what a user lacks have it."""
        parts = [
            f"{name}:[{' '.join(map(quote, values))}]"
            for name, values in (
                ("APIGroups", self.groups),
                ("Resources", self.resources),
                ("NonResourceURLs", self.urls),
                ("ResourceNames", self.names),
                ("Verbs", self.verbs),
            )
            if values
        ]
        return f"{{{', '.join(parts)}}}"


EVERYTHING: Final = (Rule((ALL,), (ALL,), (ALL,)), Rule((ALL,), urls=(ALL,)))
"""The rules of those who may do all there is."""


def is_resource_meant(rule: Rule, resource: str, subresource: str) -> bool:
    """`pods`, `pods/log`, `*/log` for every resource's, or everything."""
    resources = rule.resources
    if ALL in resources:
        return True
    if not subresource:
        return resource in resources
    return f"{resource}/{subresource}" in resources or f"*/{subresource}" in resources


def is_path_meant(url: str, path: str) -> bool:
    """The path itself, or one that begins with what stands before a final asterisk."""
    return url in (ALL, path) or (url.endswith(ALL) and path.startswith(url.rstrip(ALL)))


def _has(values: Sequence[str], value: str) -> bool:
    return ALL in values or value in values


def not_covered(owned: Sequence[Rule], wanted: Iterable[Rule]) -> list[Rule]:
    """What `wanted` allows and `owned` does not, in rules of one verb on one resource each."""
    return [part for rule in wanted for part in _parts(rule) if not any(_covers(one, part) for one in owned)]


def _parts(rule: Rule) -> Iterator[Rule]:
    for group, resource, verb in product(rule.groups, rule.resources, rule.verbs):
        if rule.names:
            for name in rule.names:
                yield Rule((verb,), (group,), (resource,), (name,))
        else:
            yield Rule((verb,), (group,), (resource,))
    for url, verb in product(rule.urls, rule.verbs):
        yield Rule((verb,), urls=(url,))


def _covers(owned: Rule, part: Rule) -> bool:
    if not _has(owned.verbs, part.verbs[0]):
        return False
    if part.urls:
        return any(is_path_meant(url, part.urls[0]) for url in owned.urls)
    if owned.names and not (part.names and part.names[0] in owned.names):
        return False
    resource, _, subresource = part.resources[0].partition("/")
    return _has(owned.groups, part.groups[0]) and is_resource_meant(owned, resource, subresource)


def compacted(rules: Iterable[Rule]) -> list[Rule]:
    """Rules that differ in their verbs alone as one."""
    verbs: dict[Rule, list[str]] = {}
    for rule in rules:
        verbs.setdefault(rule._replace(verbs=()), []).extend(rule.verbs)
    return [rule._replace(verbs=tuple(dict.fromkeys(found))) for rule, found in verbs.items()]
