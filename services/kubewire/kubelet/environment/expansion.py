"""`$(NAME)` in variables, commands, arguments and paths.

A reference to a variable that is not set stays as it is written, and `$$` stands for one `$`, so that `$$(NAME)` is
never a reference. A `$` before anything else is a `$`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from kubewire.api.core.v1.env_pb2 import EnvVar

_REFERENCE: Final = re.compile(r"\$\$|\$\(([^)]*)\)")


def expand(text: str, variables: Mapping[str, str]) -> str:
    """The text with references replaced."""

    def replaced(match: re.Match[str]) -> str:
        name = match[1]
        return "$" if name is None else variables.get(name, match[0])

    return _REFERENCE.sub(replaced, text) if "$" in text else text


def expand_words(words: Sequence[str], variables: Mapping[str, str]) -> list[str]:
    """A command or its arguments, each expanded."""
    return [expand(word, variables) for word in words]


def unset_references(text: str, variables: Mapping[str, str]) -> list[str]:
    """Names of the variables that a text refers to and that are not set."""
    names = (match[1] for match in _REFERENCE.finditer(text))
    return [name for name in names if name is not None and name not in variables]


def written_values(env: Sequence[EnvVar]) -> Mapping[str, str]:
    """The variables whose values stand in the spec itself: all that commands of probes and hooks may refer to."""
    return {variable.name: variable.value for variable in env if not variable.HasField("valueFrom")}
