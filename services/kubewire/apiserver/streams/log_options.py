"""What may be asked of a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.machinery import errors, field_errors
from kubewire.machinery.field_path import ROOT
from kubewire.machinery.gvk import GroupKind

if TYPE_CHECKING:
    from kubewire.api.core.v1.connect_options_pb2 import PodLogOptions
    from kubewire.machinery.field_errors import FieldError

_KIND: Final = GroupKind("", "PodLogOptions")
_POSITIVE: Final = "must be greater than 0"


def check(name: str, options: PodLogOptions) -> None:
    """Returns when the options fit together.

    Raises:
        StatusError: 422, naming the field.
    """
    problems = [*_numbers(options)]
    if options.HasField("sinceSeconds") and options.HasField("sinceTime"):
        why = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        problems.append(field_errors.forbidden(ROOT, why))
    if options.stream not in {"", "All", "Stdout", "Stderr"}:
        problems.append(field_errors.not_supported(ROOT.child("stream"), options.stream, ("All", "Stderr", "Stdout")))
    if options.stream in {"Stdout", "Stderr"} and options.HasField("tailLines"):
        problems.append(
            field_errors.forbidden(ROOT, "`tailLines` and specific `stream` are mutually exclusive for now")
        )
    if problems:
        raise errors.invalid(_KIND, name, problems)


def _numbers(options: PodLogOptions) -> list[FieldError]:
    problems = []
    if options.tailLines < 0:
        why = "must be greater than or equal to 0"
        problems.append(field_errors.invalid(ROOT.child("tailLines"), options.tailLines, why))
    if options.HasField("limitBytes") and options.limitBytes < 1:
        problems.append(field_errors.invalid(ROOT.child("limitBytes"), options.limitBytes, _POSITIVE))
    if options.HasField("sinceSeconds") and options.sinceSeconds < 1:
        problems.append(field_errors.invalid(ROOT.child("sinceSeconds"), options.sinceSeconds, _POSITIVE))
    return problems
