"""Every kind that has rules is found by them, and a well-formed object of each is accepted."""

from dataclasses import replace

import pytest

from kubewire.apiserver.validation.table import RULES, rules_for
from kubewire.machinery.resources import builtin
from tests.unit.apiserver.validation.objects import VALID, problems_of, resource_of, stored, update_problems


@pytest.mark.parametrize("kind", VALID)
def test_a_valid_object_is_accepted(kind: str) -> None:
    """A well-formed object passes, and so does an update that changes nothing."""
    assert problems_of(kind) == []
    assert update_problems(kind, stored(kind)) == []


@pytest.mark.parametrize("kind", VALID)
def test_status_of_a_valid_object_is_accepted(kind: str) -> None:
    """A status update that changes nothing passes."""
    if "status" in resource_of(kind).subresources:
        assert update_problems(kind, stored(kind), via="status") == []


def test_rules_belong_to_kinds_that_are_served() -> None:
    """No rule stands in the table under a name that no kind has."""
    served = {(resource.group, resource.kind) for resource in builtin().served()}
    assert set(RULES) <= served


def test_kinds_know_where_they_live() -> None:
    """Cluster-scoped kinds may not have a namespace, all others must."""
    for resource in builtin().served():
        assert rules_for(resource).namespaced == resource.namespaced


def test_custom_kinds_are_freer_with_finalizers() -> None:
    """Only on Kubernetes' own kinds, names without a domain are Kubernetes' own."""
    pods = resource_of("v1 Pod")
    assert rules_for(pods).builtin
    assert not rules_for(replace(pods, group="a.b", kind="Foo", plural="foos")).builtin
