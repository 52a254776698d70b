"""What the kernel knows about this process."""

import os
import time

from prometheus_client.parser import text_string_to_metric_families

from kubewire.component.metrics.process import add_process_metrics
from kubewire.component.metrics.registry import Registry


def test_numbers_are_this_process() -> None:
    """Memory, files, processor time and the time of the start are plausible, and read anew each time."""
    registry = Registry()
    add_process_metrics(registry)
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(registry.render().decode())
        for sample in family.samples
    }
    assert 10 << 20 < values["process_resident_memory_bytes"] < values["process_virtual_memory_bytes"]
    assert values["process_open_fds"] >= 3
    assert values["process_max_fds"] >= values["process_open_fds"]
    assert 0 < values["process_cpu_seconds_total"] <= sum(os.times()[:2]) + 1
    assert time.time() - 3600 * 24 < values["process_start_time_seconds"] <= time.time() + 1
    assert values["python_info"] == 1
