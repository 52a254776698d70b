"""An open watch as a stream of messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kubewire.apiserver.rpc.events import encode_batch
from kubewire.apiserver.rpc.unexpected import hide
from kubewire.machinery.errors import StatusError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from kubewire.apiserver.contracts import Watch
    from kubewire.apiserver.item import Batch
    from kubewire.apiserver.metrics import EndpointMetrics, KindMetrics
    from kubewire.apiserver.rpc.forms import Form

_OK: Final = 200
_INTERNAL: Final = 500


class WatchMessages:
    """Messages of a watch that is open already; iterate over it once, and close it.

    Iteration ends when the watch's time is over, and raises StatusError when it cannot go on: 410 when its history is
    gone, 503 when the receiver was too slow.
    """

    def __init__(self, watch: Watch, form: Form, endpoint: EndpointMetrics, kind: KindMetrics) -> None:
        self._watch = watch
        self._form = form
        self._endpoint = endpoint
        self._kind = kind
        self._code = _OK
        self._is_open = True
        endpoint.running.value += 1

    async def __aiter__(self) -> AsyncIterator[bytes]:
        form = self._form
        try:
            async for batch in self._watch:
                for message in encode_batch(batch, form):
                    yield message
                self._sent(batch)
        except StatusError as error:
            self._code = error.code
            raise
        except Exception as error:
            self._code = _INTERNAL
            raise hide(error, "watch") from error

    async def aclose(self) -> None:
        """End the watch; doing it twice is harmless."""
        if self._is_open:
            self._is_open = False
            self._endpoint.running.value -= 1
            self._endpoint.ended(self._code)
            await self._watch.aclose()

    def _sent(self, batch: Batch) -> None:
        count = len(batch.events)
        self._kind.events.value += count
        encoded = batch.forms.get(self._form.name)
        if encoded is not None:
            # All of a batch count with their mean: this runs for every watcher of every batch.
            self._kind.event_sizes.observe_many(len(encoded) / count, count)
