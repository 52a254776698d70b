"""Counting, and printing what was counted; read back with Prometheus' own parser."""

import math
import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from kubewire.component.metrics.registry import Registry


def samples(registry: Registry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every line of the exposition, by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(registry.render().decode())
        for sample in family.samples
    }


def test_labelled_counters_and_gauges_are_printed() -> None:
    """Each series has its own number, and a family without labels is there before anything was counted."""
    registry = Registry()
    calls = registry.counter("calls_total", "Calls.", ("verb", "code"))
    registry.gauge("open", "Open now.")
    calls.labels("GET", "200").inc()
    calls.labels("GET", "200").inc(2)
    calls.labels("PUT", "409").inc()
    assert samples(registry) == {
        ("calls_total", (("code", "200"), ("verb", "GET"))): 3,
        ("calls_total", (("code", "409"), ("verb", "PUT"))): 1,
        ("open", ()): 0,
    }


def test_histogram_buckets_accumulate_and_include_their_bound() -> None:
    """A value equal to a bound falls into that bound's bucket, and every later bucket counts it too."""
    registry = Registry()
    seconds = registry.histogram("seconds", "Seconds.", ("verb",), buckets=(0.1, 1, 2.5)).labels("GET")
    for value in (0.1, 0.5, 1.0, 2.0, 99):
        seconds.observe(value)
    got = samples(registry)
    verb = ("verb", "GET")
    assert [got["seconds_bucket", (("le", le), verb)] for le in ("0.1", "1", "2.5", "+Inf")] == [1, 3, 4, 5]
    assert got["seconds_count", (verb,)] == 5
    assert got["seconds_sum", (verb,)] == pytest.approx(102.6)
    assert seconds.count == 5


def test_printing_again_prints_the_numbers_of_now() -> None:
    """What is remembered between scrapes is the text before the numbers, not the numbers."""
    registry = Registry()
    seconds = registry.histogram("seconds", "Seconds.", buckets=(1,)).labels()
    registry.render()
    seconds.observe(0.5)
    assert b'seconds_bucket{le="1"} 1\n' in registry.render()


def test_label_values_are_escaped() -> None:
    """Quotes, backslashes and line breaks survive the text format."""
    registry = Registry()
    value = 'a "quoted"\\ two\nlines'
    registry.counter("odd_total", "Odd.", ("what",)).labels(value).inc()
    assert samples(registry) == {("odd_total", (("what", value),)): 1}


def test_numbers_beyond_the_ordinary_are_printed() -> None:
    """Infinity, not-a-number, fractions and large numbers are read back as they were."""
    registry = Registry()
    gauge = registry.gauge("g", "G.", ("n",))
    values = {"inf": math.inf, "minus": -math.inf, "small": 2.5e-07, "large": 1.5e300, "whole": 12345678.0}
    for name, value in values.items():
        gauge.labels(name).set(value)
    gauge.labels("nan").set(math.nan)
    got = {labels[0][1]: value for (_, labels), value in samples(registry).items()}
    assert math.isnan(got.pop("nan"))
    assert got == values
    assert b'g{n="whole"} 12345678\n' in registry.render()


def test_computed_metrics_are_asked_when_printed() -> None:
    """A computed family has no number of its own."""
    registry = Registry()
    numbers = [1.0]
    registry.computed("now", "Now.", ("what",), collect=lambda: [(("x",), numbers[0])])
    numbers[0] = 7.0
    assert samples(registry) == {("now", (("what", "x"),)): 7}


def test_removed_series_are_no_longer_printed() -> None:
    """Removing a series removes its lines, and removing it twice is harmless."""
    registry = Registry()
    family = registry.gauge("g", "G.", ("n",))
    family.labels("a").set(1)
    family.remove("a")
    family.remove("a")
    assert samples(registry) == {}


def test_a_name_is_taken_once() -> None:
    """Two families of one name are a mistake that shows when the second is defined."""
    registry = Registry()
    registry.counter("calls_total", "Calls.")
    with pytest.raises(ValueError, match="metric calls_total is defined twice"):
        registry.gauge("calls_total", "Calls.")


def test_wrong_number_of_labels_is_refused() -> None:
    """A series has a value for every label."""
    family = Registry().counter("calls_total", "Calls.", ("verb", "code"))
    with pytest.raises(ValueError, match=r"calls_total: want values for \('verb', 'code'\), got \('GET',\)"):
        family.labels("GET")


def test_bounds_of_millions_have_exponents() -> None:
    """A bound is a label, so it is written as others write it."""
    registry = Registry()
    registry.histogram("bytes", "Bytes.", buckets=(1024, 131072, 999999, 1e6, 1.5e7, 1e9))
    found = re.findall(r'le="([^"]*)"', registry.render().decode())
    assert found == ["1024", "131072", "999999", "1e+06", "1.5e+07", "1e+09", "+Inf"]


def test_buckets_must_ascend() -> None:
    """Bounds out of order would count wrongly without a word."""
    with pytest.raises(ValueError, match="seconds: buckets must ascend"):
        Registry().histogram("seconds", "Seconds.", buckets=(2, 1))
