"""Messages of nf_tables as bytes and back."""

import pytest

from kubewire.kube_proxy.netlink.tables import (
    GOTO,
    Chain,
    Element,
    Hook,
    Namespace,
    SetType,
    Verdict,
    chain_of,
    elements_of,
    rule_of,
    set_of,
)

TABLE = Namespace("kubewire")


@pytest.mark.parametrize("chain", [Chain("plain"), Chain("nat", Hook("nat", 0, -100))])
def test_chains(chain: Chain) -> None:
    """A chain is read as it was made, negative priorities included."""
    assert chain_of(TABLE.add_chain(chain)) == ("kubewire", chain)


@pytest.mark.parametrize(
    "kind",
    [
        SetType("set", 7, 4),
        SetType("map", 7, 4, 13, 2),
        SetType("verdicts", 7, 4, is_verdict_map=True),
        SetType("timed", 7, 4, timeout_seconds=100),
    ],
)
def test_sets(kind: SetType) -> None:
    """A set is read as it was made."""
    assert set_of(TABLE.add_set(kind, 1)) == kind


def test_elements() -> None:
    """Keys, data, verdicts and comments come back; comments of any length do no harm."""
    elements = [
        Element(b"abcd"),
        Element(b"abcd", b"data"),
        Element(b"abcd", Verdict(GOTO, "chain"), "default/web"),
        Element(b"abcd", Verdict(0)),
        Element(b"abcd", b"", "x" * 250),
    ]
    [message] = TABLE.add_elements("set", elements)
    assert list(elements_of(message)) == elements
    [message] = TABLE.add_elements("set", [Element(b"abcd", b"", "x" * 1000)])
    assert next(elements_of(message)).comment == "x" * 250


def test_many_elements_are_several_messages() -> None:
    """No attribute holds more than 64 KiB."""
    elements = [Element(number.to_bytes(4, "big"), b"12345678", "default/web") for number in range(5000)]
    messages = list(TABLE.add_elements("set", elements))
    assert len(messages) > 1
    assert all(len(message.body) < 1 << 16 for message in messages)
    assert [one for message in messages for one in elements_of(message)] == elements


def test_rules_are_known_by_their_comments() -> None:
    """The comment of a rule comes back with the name of its chain."""
    assert rule_of(TABLE.add_rule("chain", [b""], "chain/0 abc")) == ("chain", "chain/0 abc")
