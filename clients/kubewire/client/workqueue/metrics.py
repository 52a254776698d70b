"""A process's workqueue metrics, under Kubernetes' names. One `WorkQueueMetrics` serves all its queues."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate, repeat
from operator import mul
from typing import Final, Protocol

from kubewire.client.metrics import Counter, Histogram, MetricRegistry
from kubewire.client.workqueue.queue import QueueMetrics

# Each ten times the one before: the bounds are labels, and those of Kubernetes have the same rounding errors.
_BUCKETS: Final = tuple(accumulate(repeat(10.0, 9), mul, initial=1e-08))
_NAME: Final = ("name",)

Sample = tuple[tuple[str, ...], float]


class Measurable(Protocol):
    """What is measured of a queue, whatever its keys."""

    metrics: QueueMetrics

    def __len__(self) -> int:
        """Keys that wait."""

    def longest_running_seconds(self) -> float:
        """How long the slowest worker has held its key."""
        ...

    def unfinished_seconds(self) -> float:
        """Sum of the time workers have held their keys."""
        ...


class WorkQueueMetrics:
    """Registers the families; `attach` has a queue counted under its name."""

    def __init__(self, registry: MetricRegistry) -> None:
        self._queues: dict[str, Measurable] = {}
        self._adds = registry.counter("workqueue_adds_total", "Keys added to the queue", _NAME)
        self._retries = registry.counter("workqueue_retries_total", "Keys added for later or after a failure", _NAME)
        self._queued = registry.histogram(
            "workqueue_queue_duration_seconds", "How long a key waited for a worker", _NAME, buckets=_BUCKETS
        )
        self._worked = registry.histogram(
            "workqueue_work_duration_seconds", "How long a worker took over a key", _NAME, buckets=_BUCKETS
        )
        self._register_computed(registry)

    def attach(self, name: str, queue: Measurable) -> None:
        """Count what happens in `queue` from now on. A queue made anew under a name takes the former's place."""
        self._queues[name] = queue
        queue.metrics = _Series(
            self._adds.labels(name), self._retries.labels(name), self._queued.labels(name), self._worked.labels(name)
        )

    def _register_computed(self, registry: MetricRegistry) -> None:
        computed: tuple[tuple[str, str, Callable[[Measurable], float]], ...] = (
            ("workqueue_depth", "Keys that wait for a worker", lambda queue: float(len(queue))),
            (
                "workqueue_unfinished_work_seconds",
                "Sum of the time workers have held their keys; grows while one is stuck",
                lambda queue: queue.unfinished_seconds(),
            ),
            (
                "workqueue_longest_running_processor_seconds",
                "How long the slowest worker has held its key",
                lambda queue: queue.longest_running_seconds(),
            ),
        )
        for name, help_text, value_of in computed:
            registry.computed(name, help_text, _NAME, kind="gauge", collect=self._collector(value_of))

    def _collector(self, value_of: Callable[[Measurable], float]) -> Callable[[], Iterable[Sample]]:
        def collect() -> Iterator[Sample]:
            for name, queue in self._queues.items():
                yield (name,), value_of(queue)

        return collect


class _Series:
    """`QueueMetrics` of one queue."""

    def __init__(self, adds: Counter, retries: Counter, queued: Histogram, worked: Histogram) -> None:
        self._adds = adds
        self._retries = retries
        self._queued = queued
        self._worked = worked

    def added(self) -> None:
        self._adds.inc()

    def taken(self, queued_seconds: float) -> None:
        self._queued.observe(queued_seconds)

    def done(self, worked_seconds: float) -> None:
        self._worked.observe(worked_seconds)

    def retried(self) -> None:
        self._retries.inc()
