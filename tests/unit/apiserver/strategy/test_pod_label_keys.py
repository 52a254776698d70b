"""Keys become requirements with the pod's own values."""

from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import at, created

LABELS: JsonObject = {"labels": {"hash": "1", "app": "a"}}


def test_affinity_terms_are_completed() -> None:
    """Matched keys are required, mismatched ones excluded; keys the pod does not have are left out."""
    term: JsonObject = {
        "topologyKey": "zone",
        "labelSelector": {"matchLabels": {"x": "y"}},
        "matchLabelKeys": ["hash", "missing"],
        "mismatchLabelKeys": ["app"],
    }
    bare: JsonObject = {"topologyKey": "zone", "matchLabelKeys": ["hash"]}
    spec: JsonObject = {
        "affinity": {
            "podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term, bare]},
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]
            },
        }
    }
    made = created("v1 Pod", {"metadata": LABELS, "spec": spec})
    expected = {
        "matchLabels": {"x": "y"},
        "matchExpressions": [
            {"key": "hash", "operator": "In", "values": ["1"]},
            {"key": "app", "operator": "NotIn", "values": ["a"]},
        ],
    }
    near = "spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution"
    far = "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.podAffinityTerm"
    assert at(made, f"{near}.0.labelSelector") == expected
    assert at(made, f"{far}.labelSelector") == expected
    assert at(made, f"{near}.1.labelSelector") is None


def test_spread_constraints_are_completed() -> None:
    """As affinity terms are."""
    constraint: JsonObject = {"maxSkew": 1, "topologyKey": "zone", "labelSelector": {}, "matchLabelKeys": ["hash"]}
    made = created("v1 Pod", {"metadata": LABELS, "spec": {"topologySpreadConstraints": [constraint]}})
    found = at(made, "spec.topologySpreadConstraints.0.labelSelector.matchExpressions")
    assert found == [{"key": "hash", "operator": "In", "values": ["1"]}]
