"""Messages of nf_tables: tables, chains, rules, sets and their elements, as bytes and back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from kubewire.kube_proxy.netlink.attributes import (
    attribute,
    be32,
    be32_of,
    be64,
    iterate,
    nested,
    parse,
    signed_be32_of,
    text,
    text_of,
)
from kubewire.kube_proxy.netlink.socket import APPEND, CREATE, Message

SUBSYSTEM: Final = 10
IPV4: Final = 2

_KIND: Final = SUBSYSTEM << 8
_NEW_TABLE, _GET_TABLE, _DELETE_TABLE = _KIND, _KIND + 1, _KIND + 2
_NEW_CHAIN, _GET_CHAIN, _DELETE_CHAIN = _KIND + 3, _KIND + 4, _KIND + 5
_NEW_RULE, _GET_RULE, _DELETE_RULE = _KIND + 6, _KIND + 7, _KIND + 8
_NEW_SET, _GET_SET, _DELETE_SET = _KIND + 9, _KIND + 10, _KIND + 11
_NEW_ELEMENTS, _GET_ELEMENTS, _DELETE_ELEMENTS = _KIND + 12, _KIND + 13, _KIND + 14
_GET_GENERATION: Final = _KIND + 16

GOTO: Final = -4
JUMP: Final = -3
DROP: Final = 0

_LIST_ELEMENT: Final = 1
_VALUE, _VERDICT = 1, 2
_VERDICT_CODE, _VERDICT_CHAIN = 1, 2
_COMMENT: Final = 0
_VERDICT_TYPE: Final = 0xFFFFFF00
_MAP, _TIMEOUT, _EVALUATED = 0x8, 0x10, 0x20

_ELEMENTS_BYTES: Final = 48 << 10
"""Of one message: an attribute holds less than 64 KiB."""


class Hook(NamedTuple):
    """Where the kernel enters a chain."""

    type: str
    number: int
    priority: int


class Chain(NamedTuple):
    """A chain; without a hook, others go to it."""

    name: str
    hook: Hook | None = None


class SetType(NamedTuple):
    """A set, or a map if it has data. Types are nft's numbers, which only serve for showing them."""

    name: str
    key_type: int
    key_bytes: int
    data_type: int = 0
    data_bytes: int = 0
    is_verdict_map: bool = False
    timeout_seconds: int = 0
    """For sets that rules fill: how long an element stays unless the rule says otherwise."""
    size: int = 0


class Verdict(NamedTuple):
    """What a verdict map gives."""

    code: int
    chain: str = ""


class Element(NamedTuple):
    """One element of a set; `value` is empty for sets, and a comment may say whose it is."""

    key: bytes
    value: bytes | Verdict = b""
    comment: str = ""


class Namespace:
    """Makes messages about one table of one family."""

    def __init__(self, table: str, family: int = IPV4) -> None:
        self.table = table
        self.family = family

    def add_table(self) -> Message:
        """Make the table, if it is not there."""
        return self._message(_NEW_TABLE, CREATE, text(1, self.table), be32(2, 0))

    def delete_table(self) -> Message:
        """With all that is in it."""
        return self._message(_DELETE_TABLE, 0, text(1, self.table))

    def add_chain(self, chain: Chain) -> Message:
        """Make a chain, if it is not there."""
        parts = [text(1, self.table), text(3, chain.name)]
        if chain.hook is not None:
            parts.append(nested(4, be32(1, chain.hook.number), be32(2, chain.hook.priority)))
            parts.append(be32(5, 1))  # what no rule decides is accepted
            parts.append(text(7, chain.hook.type))
        return self._message(_NEW_CHAIN, CREATE, *parts)

    def delete_chain(self, name: str) -> Message:
        """It must be empty, and nothing may go to it any more at the end of the batch."""
        return self._message(_DELETE_CHAIN, 0, text(1, self.table), text(3, name))

    def flush_chain(self, name: str) -> Message:
        """Delete its rules."""
        return self._message(_DELETE_RULE, 0, text(1, self.table), text(2, name))

    def add_rule(self, chain: str, expressions: Iterable[bytes], comment: str) -> Message:
        """Append a rule."""
        listed = nested(4, *(attribute(_LIST_ELEMENT | 0x8000, one) for one in expressions))
        parts = (text(1, self.table), text(2, chain), listed, attribute(7, _comment(comment)))
        return self._message(_NEW_RULE, CREATE | APPEND, *parts)

    def add_set(self, kind: SetType, number: int) -> Message:
        """Make a set; `number` tells sets of one batch apart."""
        flags = (_MAP if kind.data_bytes or kind.is_verdict_map else 0) | (
            _TIMEOUT | _EVALUATED if kind.timeout_seconds else 0
        )
        parts = [
            text(1, self.table),
            text(2, kind.name),
            be32(3, flags),
            be32(4, kind.key_type),
            be32(5, kind.key_bytes),
            be32(10, number),
        ]
        if kind.is_verdict_map:
            parts.append(be32(6, _VERDICT_TYPE))
        elif kind.data_bytes:
            parts += [be32(6, kind.data_type), be32(7, kind.data_bytes)]
        if kind.timeout_seconds:
            parts.append(be64(11, kind.timeout_seconds * 1000))
        if kind.size:
            parts.append(nested(9, be32(1, kind.size)))
        return self._message(_NEW_SET, CREATE, *parts)

    def add_elements(self, name: str, elements: Iterable[Element]) -> Iterator[Message]:
        """Elements that are not there yet; in as many messages as they need."""
        return self._elements(_NEW_ELEMENTS, CREATE, name, (_element(one) for one in elements))

    def delete_elements(self, name: str, keys: Iterable[bytes]) -> Iterator[Message]:
        """Elements that are there."""
        return self._elements(_DELETE_ELEMENTS, 0, name, (nested(_LIST_ELEMENT, _key(key)) for key in keys))

    def get_chains(self) -> Message:
        """Ask for the chains of all tables of the family."""
        return self._message(_GET_CHAIN, 0)

    def get_rules(self) -> Message:
        """Ask for the table's rules, chain by chain."""
        return self._message(_GET_RULE, 0, text(1, self.table))

    def get_sets(self) -> Message:
        """Ask for the table's sets."""
        return self._message(_GET_SET, 0, text(1, self.table))

    def get_elements(self, name: str) -> Message:
        """Ask for a set's elements."""
        return self._message(_GET_ELEMENTS, 0, text(1, self.table), text(2, name))

    def get_tables(self) -> Message:
        """Ask for the tables of the family."""
        return self._message(_GET_TABLE, 0)

    @staticmethod
    def get_generation() -> Message:
        """Ask how often anything in nf_tables was changed in this network namespace."""
        return Message(_GET_GENERATION, 0, 0, b"")

    def _message(self, kind: int, flags: int, *parts: bytes) -> Message:
        return Message(kind, flags, self.family, b"".join(parts))

    def _elements(self, kind: int, flags: int, name: str, encoded: Iterable[bytes]) -> Iterator[Message]:
        parts: list[bytes] = []
        size = 0
        for one in encoded:
            parts.append(one)
            size += len(one)
            if size >= _ELEMENTS_BYTES:
                yield self._message(kind, flags, text(1, self.table), text(2, name), nested(3, *parts))
                parts, size = [], 0
        if parts:
            yield self._message(kind, flags, text(1, self.table), text(2, name), nested(3, *parts))


# ------------------------------------------------------------------------------------------------------ reading


def table_name(message: Message) -> str:
    """Of a table."""
    return text_of(parse(message.body)[1])


def chain_of(message: Message) -> tuple[str, Chain]:
    """A chain and the name of its table."""
    found = parse(message.body)
    hook = None
    if 4 in found:
        inner = parse(found[4])
        hook = Hook(text_of(found.get(7, b"")), be32_of(inner[1]), signed_be32_of(inner[2]))
    return text_of(found[1]), Chain(text_of(found[3]), hook)


def rule_of(message: Message) -> tuple[str, str]:
    """The chain and the comment of a rule."""
    found = parse(message.body)
    return text_of(found[2]), _comment_of(found.get(7, b""))


def set_of(message: Message) -> SetType:
    """A set as it was made, but for the sizes and types the kernel does not tell."""
    found = parse(message.body)
    is_verdict = be32_of(found.get(6, bytes(4))) == _VERDICT_TYPE
    return SetType(
        name=text_of(found[2]),
        key_type=be32_of(found[4]),
        key_bytes=be32_of(found[5]),
        data_type=0 if is_verdict else be32_of(found.get(6, bytes(4))),
        data_bytes=0 if is_verdict else be32_of(found.get(7, bytes(4))),
        is_verdict_map=is_verdict,
        timeout_seconds=int.from_bytes(found.get(11, b""), "big") // 1000,
    )


def elements_of(message: Message) -> Iterator[Element]:
    """The elements of one message of a dump."""
    listed = parse(message.body).get(3, b"")
    for _, one in iterate(listed):
        found = parse(one)
        yield Element(parse(found[1])[_VALUE], _value_of(found.get(2)), _comment_of(found.get(6, b"")))


def generation_of(messages: Sequence[Message]) -> int:
    """The number that grows with every change."""
    return be32_of(parse(messages[0].body)[1])


def _element(one: Element) -> bytes:
    parts = [_key(one.key)]
    if isinstance(one.value, Verdict):
        code = be32(_VERDICT_CODE, one.value.code)
        chain = text(_VERDICT_CHAIN, one.value.chain) if one.value.chain else b""
        parts.append(nested(2, nested(_VERDICT, code, chain)))
    elif one.value:
        parts.append(nested(2, attribute(_VALUE, one.value)))
    if one.comment:
        parts.append(attribute(6, _comment(one.comment)))
    return nested(_LIST_ELEMENT, *parts)


def _key(key: bytes) -> bytes:
    return nested(1, attribute(_VALUE, key))


def _value_of(data: bytes | None) -> bytes | Verdict:
    if data is None:
        return b""
    found: Mapping[int, bytes] = parse(data)
    if _VERDICT not in found:
        return found[_VALUE]
    verdict = parse(found[_VERDICT])
    return Verdict(signed_be32_of(verdict[_VERDICT_CODE]), text_of(verdict.get(_VERDICT_CHAIN, b"")))


def _comment(comment: str) -> bytes:
    """As nft stores and shows it: type, length, text."""
    data = comment.encode()[:250] + b"\0"
    return bytes((_COMMENT, len(data))) + data


def _comment_of(data: bytes) -> str:
    """The comment among what programs have noted on something."""
    position = 0
    while position + 2 <= len(data):
        kind, size = data[position], data[position + 1]
        if kind == _COMMENT:
            return text_of(data[position + 2 : position + 2 + size])
        position += 2 + size
    return ""
