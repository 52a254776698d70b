"""Problems found in one field of an object, with the wording and the cause types of Kubernetes.

Validation returns lists of FieldError; `errors.invalid` turns them into one StatusError. The functions
here are the only way messages are made, so that their wording is the same for every kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from kubewire.machinery.errors import Cause
from kubewire.machinery.field_path import Path
from kubewire.machinery.quoting import quote


class FieldErrorType(StrEnum):
    """Kubernetes' CauseType of a field problem."""

    NOT_FOUND = "FieldValueNotFound"
    REQUIRED = "FieldValueRequired"
    DUPLICATE = "FieldValueDuplicate"
    INVALID = "FieldValueInvalid"
    NOT_SUPPORTED = "FieldValueNotSupported"
    FORBIDDEN = "FieldValueForbidden"
    TOO_LONG = "FieldValueTooLong"
    TOO_SHORT = "FieldValueTooShort"
    TOO_MANY = "FieldValueTooMany"
    TOO_FEW = "FieldValueTooFew"
    TYPE_INVALID = "FieldValueTypeInvalid"
    INTERNAL = "InternalError"


_HEADLINES = {
    FieldErrorType.NOT_FOUND: "Not found",
    FieldErrorType.REQUIRED: "Required value",
    FieldErrorType.DUPLICATE: "Duplicate value",
    FieldErrorType.INVALID: "Invalid value",
    FieldErrorType.NOT_SUPPORTED: "Unsupported value",
    FieldErrorType.FORBIDDEN: "Forbidden",
    FieldErrorType.TOO_LONG: "Too long",
    FieldErrorType.TOO_SHORT: "Too short",
    FieldErrorType.TOO_MANY: "Too many",
    FieldErrorType.TOO_FEW: "Too few",
    FieldErrorType.TYPE_INVALID: "Invalid value",
    FieldErrorType.INTERNAL: "Internal error",
}

_WITHOUT_VALUE = frozenset(
    {
        FieldErrorType.REQUIRED,
        FieldErrorType.FORBIDDEN,
        FieldErrorType.TOO_LONG,
        FieldErrorType.TOO_SHORT,
        FieldErrorType.INTERNAL,
    }
)

IMMUTABLE = "field is immutable"


class _Omitted:
    """Marks a bad value that is not worth printing, as None is a value of its own (`null`)."""


OMITTED = _Omitted()


@dataclass(frozen=True, slots=True)
class FieldError:
    """One problem: `str()` is `spec.containers[0].name: Required value: detail`."""

    type: FieldErrorType
    field: str
    bad_value: object = OMITTED
    detail: str = ""

    @property
    def body(self) -> str:
        """The message without the field's path, which is what a Status cause holds."""
        text = _HEADLINES[self.type]
        if self.type not in _WITHOUT_VALUE and self.bad_value is not OMITTED:
            text += f": {_format_value(self.bad_value)}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"

    def to_cause(self) -> Cause:
        """As a cause of a Status."""
        return Cause(self.type.value, self.body, self.field)


def _format_value(value: object) -> str:
    if isinstance(value, str):
        return quote(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=_foreign)


def _foreign(value: object) -> object:
    to_json: Callable[[], object] | None = getattr(value, "to_json", None)
    return to_json() if to_json is not None else str(value)


def required(path: Path, detail: str = "") -> FieldError:
    """A value that must be given is missing or empty."""
    return FieldError(FieldErrorType.REQUIRED, str(path), "", detail)


def invalid(path: Path, value: object, detail: str) -> FieldError:
    """A value is malformed; `detail` says what would be right."""
    return FieldError(FieldErrorType.INVALID, str(path), value, detail)


def type_invalid(path: Path, value: object, detail: str) -> FieldError:
    """A value has another type than the schema's."""
    return FieldError(FieldErrorType.TYPE_INVALID, str(path), value, detail)


def immutable(path: Path, value: object) -> FieldError:
    """A value changed that is fixed once the object exists."""
    return invalid(path, value, IMMUTABLE)


def not_supported(path: Path, value: object, supported: Iterable[str]) -> FieldError:
    """A value is none of the enumerated ones, which are listed in the order given."""
    names = ", ".join(map(quote, supported))
    return FieldError(FieldErrorType.NOT_SUPPORTED, str(path), value, f"supported values: {names}" if names else "")


def forbidden(path: Path, detail: str) -> FieldError:
    """A well-formed value is not allowed under the present conditions."""
    return FieldError(FieldErrorType.FORBIDDEN, str(path), "", detail)


def duplicate(path: Path, value: object) -> FieldError:
    """A value that must be unique is there twice."""
    return FieldError(FieldErrorType.DUPLICATE, str(path), value)


def not_found(path: Path, value: object) -> FieldError:
    """A value names something that is not there."""
    return FieldError(FieldErrorType.NOT_FOUND, str(path), value)


def too_long(path: Path, max_bytes: int) -> FieldError:
    """A value has more bytes than allowed; the value itself is not repeated."""
    detail = f"may not be more than {_count(max_bytes, 'byte')}"
    return FieldError(FieldErrorType.TOO_LONG, str(path), detail=detail)


def too_long_characters(path: Path, max_characters: int) -> FieldError:
    """A value has more characters than allowed."""
    detail = f"may not be more than {_count(max_characters, 'character')}"
    return FieldError(FieldErrorType.TOO_LONG, str(path), detail=detail)


def too_short(path: Path, value: object, min_characters: int) -> FieldError:
    """A value has fewer characters than asked for."""
    detail = f"must be at least {_count(min_characters, 'character')}"
    return FieldError(FieldErrorType.TOO_SHORT, str(path), value, detail)


def too_many(path: Path, actual: int, max_items: int) -> FieldError:
    """A list or map has more items than allowed."""
    return FieldError(FieldErrorType.TOO_MANY, str(path), actual, f"must have at most {_count(max_items, 'item')}")


def too_few(path: Path, actual: int, min_items: int) -> FieldError:
    """A list or map has fewer items than asked for."""
    return FieldError(FieldErrorType.TOO_FEW, str(path), actual, f"must have at least {_count(min_items, 'item')}")


def internal(path: Path, why: str) -> FieldError:
    """Something other than the user's input went wrong while the field was looked at."""
    return FieldError(FieldErrorType.INTERNAL, str(path), detail=why)


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
