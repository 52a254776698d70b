"""What made a writer act: the object version a reconcile looked at, sent along with every call it makes.

API servers remember it beside each write, so that "why did this change" has an answer. It is kept in a context
variable: a reconcile sets it once, and everything it awaits carries it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from urllib.parse import quote

from kubewire.client.objects import ApiObject, kind_of

_current: ContextVar[str] = ContextVar("kubewire_cause", default="")

# Printable ASCII without the percent sign: what a header may carry as it is.
_SAFE = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")


def current_cause() -> str:
    """The cause of what this task does now, `Kind/namespace/name@version`; empty when nobody said."""
    return _current.get()


@contextmanager
def caused_by(cause: ApiObject | str) -> Iterator[None]:
    """Calls made inside say that they were made because of this object's version."""
    text = cause if isinstance(cause, str) else cause_text(cause)
    token = _current.set(quote(text, safe=_SAFE))
    try:
        yield
    finally:
        _current.reset(token)


def cause_text(obj: ApiObject) -> str:
    """`Pod/default/web@42`; without the namespace for cluster-scoped kinds."""
    metadata = obj.metadata
    where = f"{metadata.namespace}/{metadata.name}" if metadata.namespace else metadata.name
    return f"{kind_of(obj)}/{where}@{metadata.resourceVersion}"
