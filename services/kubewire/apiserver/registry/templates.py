"""Objects made from one template differ in their metadata and hardly in their spec: each spec is worked out once.

A ReplicaSet's pods, or the pods of a load test, arrive as the same bytes over and over. What the decoder, the defaults
and the rules make of a spec depends on the spec alone (for the kinds named here), so it is remembered by what the
author wrote; metadata is looked at every time.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from kubewire.apiserver.admission.token_volume import PREFIX
from kubewire.apiserver.strategy.base import KindStrategy
from kubewire.machinery.names import NAME_SUFFIX_LENGTH

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.apiserver.strategy.contracts import Strategy
    from kubewire.apiserver.validation.rules import Rules
    from kubewire.machinery.field_errors import FieldError
    from kubewire.machinery.resources import Resource

FIELD: Final = "spec"
_REMEMBERED: Final = 512
_LONGEST_BYTES: Final = 4096
"""Longer specs are worked out each time; so all that is remembered is at most 2 MB."""

_KINDS: Final = frozenset({("", "Pod")})
"""Kinds whose defaults and rules look at nothing but the spec."""


class HasSpec(Protocol):
    """What this module needs of such a kind's messages."""

    @property
    def spec(self) -> Message:
        """The part that is remembered."""
        ...


class SpecMemory:
    """Specs in stored form with their defaults, as bytes, by a digest of what was sent; forgets the oldest."""

    def __init__(self) -> None:
        self._specs: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        """The completed spec."""
        return self._specs.get(key)

    def put(self, key: bytes, spec: bytes) -> None:
        """Remember a completed spec."""
        if len(self._specs) >= _REMEMBERED:
            del self._specs[next(iter(self._specs))]
        self._specs[key] = spec


def key_of(text: bytes, encoding: bytes) -> bytes:
    """The key of a spec as it was sent; empty for one that is too long to be remembered."""
    return blake2b(text, digest_size=16, person=encoding).digest() if len(text) <= _LONGEST_BYTES else b""


def spec_of(obj: Message) -> Message:
    """The spec of an object of a kind that is remembered."""
    return cast("HasSpec", obj).spec


def is_templated(resource: Resource) -> bool:
    """Whether objects of the kind are made from templates."""
    return (resource.group, resource.kind) in _KINDS


def remembering(strategy: Strategy) -> Strategy:
    """The strategy with rules for new objects that look at each spec once."""
    whole = cast("KindStrategy[Any]", strategy)
    checked = _CheckedSpecs(whole.rules)
    return cast("Strategy", replace(whole, rules=replace(whole.rules, create=checked.check)))


def _without_random_name(spec: bytes) -> bytes:
    """A spec in which the token's volume, whose name is random, has a name that no author could give it.

    Renaming one name throughout leaves it as right or as wrong as the spec was, and no two specs that differ in
    anything else become the same.
    """
    found = _random_name(spec)
    return spec if found is None else spec.replace(found[0], _RENAMED)


_random_name: Final = re.compile(re.escape(PREFIX.encode()) + rb"[a-z0-9]{%d}" % NAME_SUFFIX_LENGTH).search
_RENAMED: Final = PREFIX.encode() + b"\0" * NAME_SUFFIX_LENGTH


class _CheckedSpecs:
    """Rules for new objects; remembers the specs in which they found nothing wrong."""

    def __init__(self, rules: Rules[Any]) -> None:
        self._check = rules.create
        self._good: dict[bytes, None] = {}

    def check(self, obj: Message) -> list[FieldError]:
        """What is wrong with the object, besides its metadata."""
        key = key_of(_without_random_name(spec_of(obj).SerializeToString(deterministic=True)), b"")
        if key in self._good:
            return []
        problems = self._check(obj)
        if not problems and key:
            if len(self._good) >= _REMEMBERED:
                del self._good[next(iter(self._good))]
            self._good[key] = None
        return problems
