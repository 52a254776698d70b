"""When what has slices written happened: proxies measure from then until it is programmed.

A pod counts from when it became ready or stopped being so, a Service from when it was made, and of several changes that
are written together the first does, as upstream has it (KEP-752).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.client.objects import ObjectKey, key_of
from kubewire.controller_manager.pods.facts import READY, condition, seconds_of

ANNOTATION: Final = "endpoints.kubernetes.io/last-change-trigger-time"


class Seen(NamedTuple):
    """Times of one Service, and of its pods by name, at which they last changed."""

    service: float
    pods: dict[str, float]


_NOTHING: Final = Seen(0.0, {})


class TriggerTimes:
    """Remembers, Service by Service, what was written already."""

    def __init__(self) -> None:
        self._written: dict[ObjectKey, Seen] = {}

    def look(self, service: Service, pods: Iterable[Pod]) -> tuple[float, Seen]:
        """When the first change happened that was not written, 0 if none is known; and what to remember when it is."""
        known = self._written.get(key_of(service), _NOTHING)
        seen = Seen(
            seconds_of(service.metadata.creationTimestamp), {pod.metadata.name: _changed_at(pod) for pod in pods}
        )
        changed = [time for name, time in seen.pods.items() if time > known.pods.get(name, 0.0)]
        if seen.service > known.service:
            changed.append(seen.service)
        return min(changed, default=0.0), seen

    def written(self, key: ObjectKey, seen: Seen) -> None:
        """All that was seen then is in the slices now."""
        self._written[key] = seen

    def forget(self, key: ObjectKey) -> None:
        """The Service is gone."""
        self._written.pop(key, None)


def in_words(seconds: float) -> str:
    """A time as the annotation has it; empty for none."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z") if seconds else ""


def _changed_at(pod: Pod) -> float:
    found = condition(pod, READY)
    return seconds_of(found.lastTransitionTime) if found is not None else 0.0
