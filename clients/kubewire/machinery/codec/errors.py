"""What goes wrong between bytes and messages.

    Exception
    └── ValueError
        └── CodecError
            ├── DecodeError              what a client sent is at fault; a retry does not help
            │   ├── MalformedJson        no JSON at all
            │   ├── MalformedYaml        no YAML, or none that JSON could say
            │   ├── MalformedProtobuf    no message of the kind, or no envelope around it
            │   ├── WrongValue           well-formed, but a field cannot hold it
            │   └── StrictError          unknown or repeated fields where they are forbidden
            └── EncodeError              a message holds what JSON cannot say; whoever stored it is at fault

`str()` is the text that Kubernetes puts behind `Pod in version "v1" cannot be handled as a Pod: `.
"""

from __future__ import annotations

from collections.abc import Sequence


class CodecError(ValueError):
    """One form of an object cannot be turned into another."""


class DecodeError(CodecError):
    """The input is at fault."""


class MalformedJson(DecodeError):
    """The text is no JSON; the message names the first wrong character, as Go does."""


class MalformedYaml(DecodeError):
    """The text is no YAML that JSON could say; the message names the line."""


class MalformedProtobuf(DecodeError):
    """The bytes are no message of the kind, or hold what no stock server could read."""


class WrongValue(DecodeError):
    """A value does not fit its field; the message names field and type."""


class StrictError(DecodeError):
    """Fields that the kind does not have, or that are given twice.

    Attributes:
        problems: one text each, e.g. `unknown field "spec.foo"`.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(f"strict decoding error: {', '.join(problems)}")
        self.problems = tuple(problems)


class EncodeError(CodecError):
    """A stored message cannot be shown as JSON."""
