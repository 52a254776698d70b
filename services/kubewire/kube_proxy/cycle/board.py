"""What is known of the cluster, and which Services have changed since they were last looked at.

Informers' handlers write on it, the loop reads from it; both in one thread, and neither waits.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from kubewire.api.core.v1.service_pb2 import Service
from kubewire.api.discovery.v1.endpoint_slice_pb2 import EndpointSlice
from kubewire.client.informer.informer import Handler, Informer
from kubewire.client.objects import ObjectKey, key_of
from kubewire.kube_proxy.desired.services import NOTHING, SERVICE_NAME, Proxied, Settings, proxied
from kubewire.kube_proxy.metrics import KubeProxyMetrics

LAST_CHANGE: Final = "endpoints.kubernetes.io/last-change-trigger-time"
_NANOSECONDS: Final = re.compile(r"(\.\d{6})\d+")
_BY_SERVICE: Final = "service of the slice"


@dataclass(slots=True)
class Changed:
    """What one round of programming is about.

    Attributes:
        services: whose Service or slices have changed.
        triggers: when that happened to their pods or Services, Unix time, as far as it is told.
        since: when the first of it was noticed, by the clock that only goes forward.
    """

    services: set[ObjectKey] = field(default_factory=set)
    triggers: list[float] = field(default_factory=list)
    since: float | None = None


class Board:
    """Make it for two informers before they run.

    Attributes:
        woken: set when there may be something to do.
    """

    def __init__(
        self,
        services: Informer[Service],
        slices: Informer[EndpointSlice],
        metrics: KubeProxyMetrics,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self.woken = asyncio.Event()
        self._services = services
        self._slices = slices
        self._metrics = metrics
        self._clock = clock
        # Older changes were another proxy's to program, or wait for nobody.
        self._started = wall_clock()
        self._changed = Changed()
        slices.add_index(_BY_SERVICE, _service_of)
        services.add_handler(
            Handler(self._service_seen, lambda _, service: self._service_seen(service), self._service_seen)
        )
        slices.add_handler(Handler(self._slice_seen, self._slice_changed, self._slice_gone))

    @property
    def since(self) -> float | None:
        """Since when a change waits; None if none does."""
        return self._changed.since

    @property
    def services(self) -> Iterable[ObjectKey]:
        """All Services there are."""
        return list(self._services.cache.keys())

    def take(self) -> Changed:
        """What has changed; nothing has from now on."""
        taken, self._changed = self._changed, Changed()
        self.woken.clear()
        self._metrics.changes.taken()
        return taken

    def put_back(self, taken: Changed) -> None:
        """It was not programmed after all."""
        now = self._changed
        now.services |= taken.services
        now.triggers += taken.triggers
        now.since = min((since for since in (now.since, taken.since) if since is not None), default=None)

    def proxied(self, key: ObjectKey, settings: Settings) -> Proxied:
        """What a Service asks for now."""
        service = self._services.cache.get(key)
        if service is None:
            return NOTHING
        return proxied(service, self._slices.cache.by_index(_BY_SERVICE, str(key)), settings)

    def _service_seen(self, service: Service) -> None:
        self._metrics.changes.service_seen()
        self._note(key_of(service))

    def _slice_seen(self, one: EndpointSlice) -> None:
        changed_at = _trigger(one)
        if changed_at > self._started:
            self._changed.triggers.append(changed_at)
        self._slice_gone(one)

    def _slice_changed(self, before: EndpointSlice, now: EndpointSlice) -> None:
        self._slice_seen(now)
        # It may have been another Service's.
        self._note_owner(before)

    def _slice_gone(self, one: EndpointSlice) -> None:
        self._metrics.changes.slice_seen()
        self._note_owner(one)

    def _note_owner(self, one: EndpointSlice) -> None:
        for text in _service_of(one):
            self._note(ObjectKey.parse(text))

    def _note(self, key: ObjectKey) -> None:
        self._changed.services.add(key)
        if self._changed.since is None:
            self._changed.since = self._clock()
            self._metrics.queued()
        self.woken.set()


def _service_of(one: EndpointSlice) -> Iterable[str]:
    """An index: slices by `namespace/name` of their Service."""
    name = one.metadata.labels.get(SERVICE_NAME)
    if name:
        yield str(ObjectKey(one.metadata.namespace, name))


def _trigger(one: EndpointSlice) -> float:
    """When what made this state happened, Unix time; 0 if it is not told."""
    text = one.metadata.annotations.get(LAST_CHANGE, "")
    if not text:
        return 0.0
    try:
        return datetime.fromisoformat(_without_nanoseconds(text)).timestamp()
    except ValueError:
        return 0.0


def _without_nanoseconds(text: str) -> str:
    """Python reads microseconds at most."""
    return _NANOSECONDS.sub(r"\1", text)
