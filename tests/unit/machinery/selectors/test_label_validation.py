"""Labels and label selectors inside objects are validated with Kubernetes' paths and words."""

from kubewire.machinery.field_path import ROOT
from kubewire.machinery.selectors.label_validation import validate_label_selector, validate_labels

LABELS = ROOT.child("metadata", "labels")
SELECTOR = ROOT.child("spec", "selector")


def test_labels() -> None:
    """Every malformed key and value is named, at the path of the map."""
    problems = validate_labels({"-a": "b", "c": "d e", "f": "g"}, LABELS)
    assert [(problem.field, problem.bad_value) for problem in problems] == [
        ("metadata.labels", "-a"),
        ("metadata.labels", "d e"),
    ]


def test_selector_operators() -> None:
    """Operators need the values they take and refuse those they do not."""
    expressions = [("a", "In", []), ("b", "Exists", ["x"]), ("c", "Near", []), ("d", "NotIn", ["-"])]
    assert [
        str(problem).partition(": a valid")[0] for problem in validate_label_selector({}, expressions, SELECTOR)
    ] == [
        (
            "spec.selector.matchExpressions[0].values: Required value: "
            "must be specified when `operator` is 'In' or 'NotIn'"
        ),
        (
            "spec.selector.matchExpressions[1].values: Forbidden: "
            "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        ),
        'spec.selector.matchExpressions[2].operator: Invalid value: "Near": not a valid selector operator',
        'spec.selector.matchExpressions[3].values[0]: Invalid value: "-"',
    ]
