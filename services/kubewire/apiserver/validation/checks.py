"""Small checks that many kinds share: enumerations, ranges, names, paths, numbers or percentages.

Checks append to `problems` instead of returning lists: a pod has dozens of fields, and nearly all are fine. For
the same reason a field's path is only made when there is something to say about it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar, cast

from kubewire.machinery import names
from kubewire.machinery.field_errors import FieldError, invalid, not_supported, required
from kubewire.machinery.field_path import Path
from kubewire.machinery.selectors.label_validation import validate_label_selector

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from kubewire.api.intstr.intstr_pb2 import IntOrString
    from kubewire.api.meta.v1.selector_pb2 import LabelSelector

Problems: TypeAlias = list[FieldError]

NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than zero"
MAX_INT32 = 2**31 - 1
STRING = 1
"""Value of `IntOrString.type` when the string counts."""


@lru_cache(8192)
def problems_of(check: names.Check, text: str) -> tuple[str, ...]:
    """What a check of names says, remembered: the same names come again and again."""
    return tuple(check(text))


def check_name(check: names.Check, text: str, path: Path, problems: Problems) -> None:
    """`text` is well-formed."""
    problems.extend(invalid(path, text, problem) for problem in problems_of(check, text))


def check_required_name(check: names.Check, text: str, path: Path, problems: Problems) -> None:
    """`text` is there and well-formed."""
    if text:
        check_name(check, text, path, problems)
    else:
        problems.append(required(path))


def check_given(text: str, path: Path, problems: Problems) -> None:
    """`text` is there."""
    if not text:
        problems.append(required(path))


def check_enum(value: str, supported: Collection[str], path: Path, problems: Problems) -> None:
    """`value` is one of `supported`, which are named in their order; an empty one is missing."""
    if value in supported:
        return
    problems.append(not_supported(path, value, supported) if value else required(path))


def check_not_negative(number: int, path: Path, problems: Problems) -> None:
    """`number` is 0 or more."""
    if number < 0:
        problems.append(invalid(path, number, NEGATIVE))


def check_counts(message: Message, fields: Sequence[str], path: Path, problems: Problems) -> None:
    """Numbers that are 0 or more."""
    for name in fields:
        if getattr(message, name) < 0:
            problems.append(invalid(path.child(name), getattr(message, name), NEGATIVE))


def check_range(number: int, low: int, high: int, path: Path, problems: Problems) -> None:
    """`number` is within `low..high`."""
    if not low <= number <= high:
        problems.append(invalid(path, number, names.range_problem(low, high)))


def check_port(number: int, path: Path, problems: Problems) -> None:
    """`number` is a port that can be served on."""
    check_range(number, 1, 65535, path, problems)


def is_port_or_name(port: IntOrString) -> bool:
    """Whether `check_port_or_name` would have nothing to say."""
    if port.type == STRING:
        return not problems_of(names.port_name, port.strVal)
    return 1 <= port.intVal <= 65535


def check_port_or_name(port: IntOrString, path: Path, problems: Problems) -> None:
    """A port's number, or the name of one."""
    if port.type == STRING:
        check_name(names.port_name, port.strVal, path, problems)
    else:
        check_port(port.intVal, path, problems)


def check_amount_or_percent(value: IntOrString, path: Path, problems: Problems) -> None:
    """A number that is not negative, or a percentage."""
    if value.type == STRING:
        check_name(names.percent, value.strVal, path, problems)
    else:
        check_not_negative(value.intVal, path, problems)


def printed(value: IntOrString) -> int | str:
    """An IntOrString as messages print it."""
    return value.strVal if value.type == STRING else value.intVal


def percent_of(value: IntOrString) -> int | None:
    """The number of a percentage; None if it is an amount, or malformed."""
    if value.type == STRING and not problems_of(names.percent, value.strVal):
        return int(value.strVal[:-1])
    return None


def check_no_backsteps(text: str, path: Path, problems: Problems) -> None:
    """A path does not climb."""
    if ".." in text and ".." in text.split("/"):
        problems.append(invalid(path, text, "must not contain '..'"))


def check_descending_path(text: str, path: Path, problems: Problems) -> None:
    """A path is relative and does not climb."""
    if text.startswith("/"):
        problems.append(invalid(path, text, "must be a relative path"))
    check_no_backsteps(text, path, problems)


def check_local_path(text: str, path: Path, problems: Problems) -> None:
    """A descending path whose first name is not reserved for the volume's own use."""
    check_descending_path(text, path, problems)
    if text.startswith("..") and not text.startswith("../") and text != "..":
        problems.append(invalid(path, text, "must not start with '..'"))


def check_selector(selector: LabelSelector, path: Path, problems: Problems) -> None:
    """A label selector's keys, operators and values."""
    if selector.matchLabels or selector.matchExpressions:
        expressions = ((item.key, item.operator, item.values) for item in selector.matchExpressions)
        problems += validate_label_selector(selector.matchLabels, expressions, path)


def printed_map(texts: Mapping[str, str]) -> dict[str, str]:
    """A map as messages print it."""
    return dict(sorted(texts.items()))


def printed_selector(selector: LabelSelector) -> dict[str, object]:
    """A selector as messages print it."""
    text: dict[str, object] = {}
    if selector.matchLabels:
        text["matchLabels"] = printed_map(selector.matchLabels)
    if selector.matchExpressions:
        text["matchExpressions"] = [
            {"key": item.key, "operator": item.operator, **({"values": list(item.values)} if item.values else {})}
            for item in selector.matchExpressions
        ]
    return text


def is_empty_selector(selector: LabelSelector) -> bool:
    """Whether the selector matches everything."""
    return not selector.matchLabels and not selector.matchExpressions


def duplicates(values: Sequence[str]) -> list[int]:
    """Positions of values that stood earlier, too."""
    seen: set[str] = set()
    found = []
    for position, value in enumerate(values):
        if value in seen:
            found.append(position)
        seen.add(value)
    return found


M = TypeVar("M", bound="Message")


class _Clearable(Protocol):
    def ClearField(self, name: str) -> None: ...  # noqa: N802 - protobuf's name


def clear_fields(message: Message, fields: Iterable[str]) -> None:
    """Clear fields named at run time."""
    for name in fields:
        cast("_Clearable", message).ClearField(name)


def without(message: M, fields: Iterable[str]) -> M:
    """A copy without some fields, to compare the others."""
    rest = type(message)()
    rest.CopyFrom(message)
    clear_fields(rest, fields)
    return rest
