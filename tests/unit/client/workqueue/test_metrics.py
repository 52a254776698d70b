"""Workqueue metrics carry Kubernetes' names and tell what happened."""

import asyncio

from kubewire.client.workqueue.metrics import WorkQueueMetrics
from kubewire.client.workqueue.rate_limit import ExponentialPerItem
from kubewire.client.workqueue.retry import RateLimitingQueue
from kubewire.component.metrics.registry import Registry


def value(registry: Registry, sample: str) -> float:
    """The value printed for one sample."""
    for line in registry.render().decode().splitlines():
        if line.startswith(sample + " "):
            return float(line.rpartition(" ")[2])
    raise AssertionError(f"no {sample}")


async def test_a_queue_is_counted_under_its_name() -> None:
    """Depth, additions, retries, waiting and working times appear with the queue's name."""
    registry = Registry()
    queue = RateLimitingQueue[str](ExponentialPerItem(4, 60))
    WorkQueueMetrics(registry).attach("pods", queue)
    queue.add("a")
    queue.add("a")
    queue.add("b")
    await asyncio.sleep(2)
    await queue.get()
    await asyncio.sleep(3)
    name = '{name="pods"}'
    assert value(registry, f"workqueue_adds_total{name}") == 2
    assert value(registry, f"workqueue_depth{name}") == 1
    assert value(registry, f"workqueue_queue_duration_seconds_sum{name}") == 2
    assert value(registry, f"workqueue_longest_running_processor_seconds{name}") == 3
    assert value(registry, f"workqueue_unfinished_work_seconds{name}") == 3
    queue.add_rate_limited("a")
    queue.done("a")
    assert value(registry, f"workqueue_retries_total{name}") == 1
    assert value(registry, f"workqueue_work_duration_seconds_sum{name}") == 3
    assert value(registry, f"workqueue_unfinished_work_seconds{name}") == 0
