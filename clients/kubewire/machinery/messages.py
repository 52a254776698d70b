"""Finding Kubernetes' message classes by their full proto name.

Generated modules are many and each subject file imports only what it needs, so classes are looked up through the
generated index and their modules are imported on first use.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message


class UnknownMessage(LookupError):
    """No message of this name is known: the caller's mistake, a retry does not help."""


@cache
def message_class(full_name: str) -> type[Message]:
    """The class of a message, e.g. of `k8s.io.api.core.v1.Pod`.

    Raises:
        UnknownMessage: no proto file declares `full_name`.
    """
    from kubewire.api.index import MESSAGES  # noqa: PLC0415  # 1,200 names: only who looks one up pays for them

    module = MESSAGES.get(full_name)
    if module is None:
        raise UnknownMessage(f"no message {full_name}")
    found: type[Message] = getattr(import_module(module), full_name.rpartition(".")[2])
    return found
