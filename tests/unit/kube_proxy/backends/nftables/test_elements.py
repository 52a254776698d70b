"""Rules as elements and back, and targets that keep their numbers."""

from random import Random

import pytest

from kubewire.kube_proxy.backends.nftables.elements import Placed, elements_of, place, rules_of
from kubewire.kube_proxy.desired.model import Target
from tests.kube_proxy_tables import rule

RULES = [
    "TCP 10.96.0.1:80 -> 10.244.0.1:8080* 10.244.1.1:8080 outside",
    "UDP 10.96.0.2:53 -> 10.244.1.1:53 always affinity=100",
    "SCTP *:30080 -> 10.244.1.1:8080 never",
    "TCP *:30080 from inside -> 10.244.0.1:8080* outside",
    "TCP 10.96.0.3:80 reject",
    "TCP *:30081 drop",
]


@pytest.mark.parametrize("text", RULES)
def test_there_and_back(text: str) -> None:
    """Elements say all of a rule."""
    placed = place(rule(text), ())
    assert rules_of(elements_of(placed)) == {placed.rule.frontend: placed}


@pytest.mark.parametrize("text", RULES[:4])
def test_parts_are_no_rule(text: str) -> None:
    """Without one of its endpoints a rule is none."""
    placed = place(rule(text), ())
    elements = elements_of(placed)
    for key in [key for key in elements if key[0].startswith("endpoints")]:
        rest = {one: element for one, element in elements.items() if one != key}
        assert not rules_of(rest)


def test_affinity_knows_its_targets() -> None:
    """A chain with affinity is another one's if targets differ: then the rule is to be programmed anew."""
    placed = place(rule(RULES[1]), ())
    other = elements_of(place(rule(RULES[1].replace("10.244.1.1", "10.244.1.9")), ()))
    mixed = {**elements_of(placed), **{key: one for key, one in other.items() if key[0] == "endpoints"}}
    assert not rules_of(mixed)


def test_targets_keep_their_numbers() -> None:
    """Of targets that stay only those move whose number is gone: at most one for each that went."""
    random = Random(1)
    targets = [Target(f"10.0.0.{number}", 80) for number in range(20)]
    order: tuple[Target, ...] = ()
    for _ in range(200):
        chosen = tuple(sorted(random.sample(targets, random.randrange(12))))
        placed = place(rule("TCP 10.96.0.1:80 reject")._replace(targets=chosen), order)
        assert sorted(placed.order) == list(chosen)
        stay = [one for one in chosen if one in order]
        moved = sum(placed.order.index(one) != order.index(one) for one in stay)
        assert moved <= len(set(order) - set(chosen))
        order = placed.order


def test_what_is_local_may_change() -> None:
    """A target whose being local changes keeps its number."""
    before = place(rule("TCP 10.96.0.1:80 -> 10.0.0.1:80 10.0.0.2:80"), ())
    after = place(rule("TCP 10.96.0.1:80 -> 10.0.0.1:80 10.0.0.2:80*"), before.order)
    assert isinstance(after, Placed)
    assert [one[:2] for one in after.order] == [one[:2] for one in before.order]
    assert after.order[1].is_local
