"""Which pods are removed without waiting for a node, told in tables."""

import pytest

from kubewire.controller_manager.pod_gc.plan import Observed, missing_nodes, plan
from tests.scenarios.controller_manager.pods import pods


@pytest.mark.parametrize(
    ("why", "there", "then"),
    [
        ("a running pod stays", "name node\na n1", ""),
        ("its node is gone: it is lost", "name node\na n9", "a lost"),
        ("ended on a node that is gone", "name node phase\na n9 Failed", "a"),
        ("asked to go before it had a node", "name node going\na - yes", "a"),
        ("asked to go, and its node is there to do it", "name node going\na n1 yes", ""),
        ("not assigned yet", "name node\na -", ""),
        ("ended ones are kept up to two", "name phase age\na Failed 1\nb Succeeded 9\nc Failed 5", "b"),
        ("each is removed once", "name node phase age\na n9 Failed 9\nb n1 Failed 5\nc n1 Failed 1", "a"),
    ],
)
def test_removals(why: str, there: str, then: str) -> None:
    """Lost pods are told to have failed first; ended ones go when too many are kept, oldest first."""
    made = plan(Observed(pods(there), {"n9"}, 2))
    assert " ".join(one.pod.metadata.name + (" lost" if one.is_lost else "") for one in made) == then, why


def test_missing_nodes() -> None:
    """Those that pods name and nobody knows."""
    assert missing_nodes(pods("name node\na n1\nb n2\nc -"), {"n1"}) == {"n2"}
