"""Chains and their names."""

from ipaddress import IPv4Network

import pytest

from kubewire.kube_proxy.backends.nftables.layout import (
    FILLED_BY_US,
    SETS,
    Choice,
    Options,
    choice_chain,
    choice_of,
    fixed_chains,
)
from kubewire.kube_proxy.desired.model import Masquerade, Scope

CHOICES = [
    Choice(False, Scope.ANY, Masquerade.OUTSIDE, 3),
    Choice(True, Scope.INSIDE, Masquerade.NEVER, 1),
    Choice(True, Scope.ANY, Masquerade.ALWAYS, 20, 10800, "0123456789ab"),
]
PODS = (IPv4Network("10.244.0.0/16"),)


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.chain)
def test_choices_by_name(choice: Choice) -> None:
    """The name of a chain says what it is about, within the kernel's limit of 127 characters."""
    assert choice_of(choice.chain) == choice
    assert len(choice.chain) < 128


@pytest.mark.parametrize(
    "name", ["services", "service-any-outside", "service-any-outside-x", "service-any-outside-03", "a-b-c-1-2-3-4", ""]
)
def test_other_names(name: str) -> None:
    """Chains that are no choices are not taken for some."""
    assert choice_of(name) is None


def test_rules_are_known_by_what_they_do() -> None:
    """Rules that differ in what they do differ in their names; equal ones do not."""
    plain, masked, other = (fixed_chains(options) for options in (Options(), Options(PODS), Options(mark=0x8000)))
    assert plain == fixed_chains(Options())

    def names(chains: object) -> set[str]:
        return {rule.comment for chain in chains for rule in chain.rules}  # type: ignore[attr-defined]  # chains

    assert names(plain) != names(masked)
    assert names(plain) != names(other)


def test_masquerading() -> None:
    """A chain marks connections if it is to, and if it is known what is outside."""
    outside = CHOICES[0]

    def rules(choice: Choice, options: Options) -> int:
        return len(choice_chain(choice, [], options).rules)

    assert rules(outside, Options(PODS)) == rules(outside, Options()) + 1
    assert rules(outside._replace(masquerade=Masquerade.ALWAYS), Options()) == rules(outside, Options()) + 1
    assert rules(outside._replace(masquerade=Masquerade.NEVER), Options(PODS)) == rules(outside, Options())


def test_affinity_asks_of_every_target() -> None:
    """Twice a rule for each target: the one the client has, and the one it gets."""
    choice = Choice(False, Scope.ANY, Masquerade.NEVER, 3, 100, "0123456789ab")
    targets = [bytes([10, 0, 0, number, 0, 80, 0, 0]) for number in range(3)]
    assert len(choice_chain(choice, targets, Options()).rules) == 2 * 3 + 3


def test_comments_fit() -> None:
    """No name of a rule is longer than what nft shows."""
    chains = [*fixed_chains(Options(PODS)), *(choice_chain(one, [], Options(PODS)) for one in CHOICES)]
    assert all(len(rule.comment) < 128 for chain in chains for rule in chain.rules)


def test_sets_that_the_kernel_fills() -> None:
    """All sets but the one that rules fill are ours to fill."""
    assert {kind.name for kind in SETS} - set(FILLED_BY_US) == {"affinity"}
