"""Which rules aggregated roles have."""

from kubewire.api.rbac.v1.cluster_role_pb2 import ClusterRole
from kubewire.controller_manager.cluster_role_aggregation.plan import gathered, is_aggregated


def role(name: str, *verbs: str, **labels: str) -> ClusterRole:
    """A role with a rule for each verb."""
    made = ClusterRole()
    made.metadata.name = name
    made.metadata.labels.update(labels)
    for verb in verbs:
        made.rules.add(verbs=[verb], apiGroups=[""], resources=["pods"])
    return made


def aggregated(*selected: str, verbs: tuple[str, ...] = ()) -> ClusterRole:
    """A role of those labelled with one of `key=value`."""
    made = role("whole", *verbs, part="yes")
    for label in selected:
        key, _, value = label.partition("=")
        made.aggregationRule.clusterRoleSelectors.add().matchLabels[key] = value
    return made


def verbs_of(found: ClusterRole | None) -> list[str] | None:
    """The verbs of its rules."""
    return None if found is None else [rule.verbs[0] for rule in found.rules]


def test_rules_of_those_it_selects_by_name_and_once() -> None:
    """Any of the selectors is enough; the role itself never counts."""
    whole = aggregated("part=yes", "other=x")
    roles = [role("b", "get", "list", part="yes"), whole, role("a", "list", other="x"), role("c", "delete", part="no")]
    assert verbs_of(gathered(whole, roles)) == ["list", "get"]


def test_nothing_to_do_when_it_has_them() -> None:
    """And what is too much goes."""
    part = role("a", "get", part="yes")
    assert gathered(aggregated("part=yes", verbs=("get",)), [part]) is None
    assert verbs_of(gathered(aggregated("part=yes", verbs=("get", "delete")), [part])) == ["get"]
    assert verbs_of(gathered(aggregated(verbs=("get",)), [part])) == []


def test_which_are_aggregated() -> None:
    """Those with the rule, though it may select nothing."""
    assert not is_aggregated(role("a", "get"))
    assert is_aggregated(aggregated("part=yes"))
