"""Problems with fields are worded as Kubernetes words them."""

import pytest

from kubewire.machinery import field_errors
from kubewire.machinery.errors import Cause
from kubewire.machinery.field_errors import FieldError, FieldErrorType
from kubewire.machinery.field_path import ROOT, Path
from kubewire.machinery.quantity import parse

AT = ROOT.child("spec", "ports").index(1).child("hostPort")


def test_paths() -> None:
    """Paths print fields with dots, items and keys in brackets, and are not changed by extending them."""
    assert str(AT) == "spec.ports[1].hostPort"
    assert str(ROOT.child("metadata", "labels").key("foo")) == "metadata.labels[foo]"
    assert (str(ROOT), bool(ROOT), bool(AT)) == ("", False, True)
    assert str(ROOT.index(2).child("a")) == "[2].a"
    assert repr(Path("a")) == "Path('a')"


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (field_errors.required(AT), "Required value"),
        (field_errors.required(AT, "say"), "Required value: say"),
        (field_errors.invalid(AT, "x", "bad"), 'Invalid value: "x": bad'),
        (field_errors.invalid(AT, -1, "bad"), "Invalid value: -1: bad"),
        (field_errors.invalid(AT, True, "bad"), "Invalid value: true: bad"),
        (field_errors.invalid(AT, None, "bad"), "Invalid value: null: bad"),
        (field_errors.invalid(AT, {"a": [1]}, "bad"), 'Invalid value: {"a":[1]}: bad'),
        (field_errors.invalid(AT, parse("1Gi"), "bad"), 'Invalid value: "1Gi": bad'),
        (field_errors.immutable(AT, "x"), 'Invalid value: "x": field is immutable'),
        (field_errors.type_invalid(AT, 1, "must be string"), "Invalid value: 1: must be string"),
        (field_errors.not_supported(AT, "x", ["b", "a"]), 'Unsupported value: "x": supported values: "b", "a"'),
        (field_errors.not_supported(AT, "x", []), 'Unsupported value: "x"'),
        (field_errors.forbidden(AT, "no"), "Forbidden: no"),
        (field_errors.duplicate(AT, "x"), 'Duplicate value: "x"'),
        (field_errors.not_found(AT, "x"), 'Not found: "x"'),
        (field_errors.too_long(AT, 63), "Too long: may not be more than 63 bytes"),
        (field_errors.too_long(AT, 1), "Too long: may not be more than 1 byte"),
        (field_errors.too_long_characters(AT, 2), "Too long: may not be more than 2 characters"),
        (field_errors.too_short(AT, "x", 1), "Too short: must be at least 1 character"),
        (field_errors.too_many(AT, 3, 2), "Too many: 3: must have at most 2 items"),
        (field_errors.too_few(AT, 0, 1), "Too few: 0: must have at least 1 item"),
        (field_errors.internal(AT, "oops"), "Internal error: oops"),
        (FieldError(FieldErrorType.INVALID, "a"), "Invalid value"),
    ],
)
def test_wording(problem: FieldError, text: str) -> None:
    """The body of a problem is what Kubernetes prints, and its cause holds it."""
    assert problem.body == text
    assert str(problem) == f"{problem.field}: {text}"
    assert problem.to_cause() == Cause(problem.type, text, problem.field)
