"""The detector names every cached object that was changed, whenever that happened."""

import pytest

from kubewire.client.informer.mutation import CacheMutated, MutationDetector, active_detector, detecting_mutations
from kubewire.client.objects import key_of
from tests.unit.client.objects import pod

CACHE = object()


def test_untouched_objects_are_no_matter() -> None:
    """Reading changes nothing, reading fields that are not set included."""
    detector, read = MutationDetector(), pod("a", app="web")
    detector.cached(CACHE, key_of(read), read)
    assert read.spec.nodeName == ""
    assert not read.status.conditions
    assert read.metadata.labels["app"] == "web"
    detector.check()


def test_a_change_is_found_while_the_object_is_cached() -> None:
    """The object is named by kind and key."""
    detector, changed = MutationDetector(), pod("a")
    detector.cached(CACHE, key_of(changed), changed)
    changed.metadata.labels["x"] = "y"
    with pytest.raises(CacheMutated, match="Pod default/a"):
        detector.check()


def test_a_change_is_found_after_the_object_was_replaced() -> None:
    """An object that left the cache was looked at on leaving."""
    detector, changed = MutationDetector(), pod("a")
    detector.cached(CACHE, key_of(changed), changed)
    changed.spec.nodeName = "n1"
    detector.cached(CACHE, key_of(changed), pod("a"))
    detector.dropped(CACHE, key_of(changed))
    with pytest.raises(CacheMutated, match="Pod default/a"):
        detector.check()


def test_the_innermost_detector_is_active() -> None:
    """Informers take the detector of the block they are made in."""
    outside = active_detector()
    with detecting_mutations() as outer:
        with detecting_mutations() as inner:
            assert active_detector() is inner
        assert active_detector() is outer
    assert active_detector() is outside
