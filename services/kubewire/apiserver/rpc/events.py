"""Watches: events and batches of them as bytes, encoded once for all watchers that want the same form.

`WatchPodsResponse{repeated PodEvent events = 1}`, `PodEvent{string type = 1; Pod object = 2}`, and the same with
`runtime.Unknown` in ObjectService.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from kubewire.machinery.wire import field, header

if TYPE_CHECKING:
    from kubewire.apiserver.item import Batch, Event, EventType
    from kubewire.apiserver.rpc.forms import Form

MESSAGE_BYTES: Final = 1 << 20
"""A batch larger than this is sent in several messages: an initial state may hold every object there is."""

MESSAGE_BYTES_AT_MOST: Final = 3 << 20
"""Up to this size changes of one revision stay together, since a client whose watch breaks between them goes on after
their revision. Clients refuse messages over 4 MiB unless told otherwise."""

INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"
_TYPES: Final = {name: field(1, name.encode()) for name in ("ADDED", "MODIFIED", "DELETED", "BOOKMARK")}


def encode_batch(batch: Batch, form: Form) -> Sequence[bytes]:
    """The messages that carry a batch, nearly always one; that one is kept on the batch, which watchers share."""
    kept = batch.forms.get(form.name)
    if kept is not None:
        return (kept,)
    messages = list(_messages(batch, form))
    if len(messages) == 1:
        batch.forms[form.name] = messages[0]
    return messages


def _messages(batch: Batch, form: Form) -> Iterator[bytes]:
    """Frames joined into messages that stay within the limits where single frames do."""
    pending: list[bytes] = []
    size = revision = 0
    for event in batch.events:
        body = form.body(_bookmark(event) if event.item is None else event.item.raw)
        head = _head(event.type, form, len(body))
        limit = MESSAGE_BYTES_AT_MOST if event.revision == revision else MESSAGE_BYTES
        if size and size + len(head) + len(body) > limit:
            yield b"".join(pending)
            pending, size = [], 0
        revision = event.revision
        pending += (head, body)
        size += len(head) + len(body)
    yield b"".join(pending)


def _head(event_type: EventType, form: Form, length: int) -> bytes:
    """What stands before the body of an event: field 1 of the response, the type, and the beginning of the object."""
    typed, before = _TYPES[event_type], form.before(length)
    inner = header(2, len(before) + length)
    return b"".join((header(1, len(typed) + len(inner) + len(before) + length), typed, inner, before))


def _bookmark(event: Event) -> bytes:
    """An object of any kind with nothing but a resourceVersion, and the mark that closes an initial state."""
    meta = field(6, str(event.revision).encode())
    if event.initial_end:
        meta += field(12, field(1, INITIAL_EVENTS_END.encode()) + field(2, b"true"))
    return field(1, meta)
