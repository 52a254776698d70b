"""Shapes: shared by pods that are alike, and different where it matters."""

import pytest

from kubewire.scheduler.pods.pod import HostPort, pod_info, pod_info_after, shape_of
from tests.scheduler_tables import pod, pod_message


def test_pods_alike_share_a_shape() -> None:
    """Names, volumes and the node do not make a shape; so a burst of one workload has one."""
    first, second = pod_message("a app=x cpu=1"), pod_message("b app=x cpu=1 on=n1")
    second.spec.volumes.add(name="kube-api-access-x7f2p")
    assert shape_of(first) is shape_of(second)


@pytest.mark.parametrize(
    "word", ["app=y", "cpu=2", "port=80", "tolerate=t", "select=zone:a", "image=web", "spread=zone:1"]
)
def test_what_matters_makes_another_shape(word: str) -> None:
    """Labels, requests, ports, tolerations, wishes and images make shapes differ."""
    assert pod(f"a {word}").shape is not pod("a").shape


@pytest.mark.parametrize("words", ["on=n1", "", "app=y", "cpu=2", "on=n1 tolerate=t", "spread=zone:1"])
def test_what_is_known_is_only_a_shortcut(words: str) -> None:
    """A pod after a change is what it would be if it were new."""
    before, after = pod_message("a app=x"), pod_message(f"a app=x {words}")
    assert pod_info_after(pod_info(before), before, after) == pod_info(after)


def test_another_pod_of_the_name_is_not_known() -> None:
    """Its shape is its own."""
    before = pod_message("a app=x")
    after = pod_message("a app=x on=n1")
    after.metadata.uid = "another"
    known = pod("a app=y")
    assert pod_info_after(known, before, after).shape is pod_info(after).shape


@pytest.mark.parametrize(
    ("one", "other", "conflicts"),
    [
        (("TCP", "0.0.0.0", 80), ("TCP", "0.0.0.0", 80), True),
        (("TCP", "0.0.0.0", 80), ("TCP", "10.0.0.1", 80), True),
        (("TCP", "10.0.0.2", 80), ("TCP", "10.0.0.1", 80), False),
        (("TCP", "0.0.0.0", 80), ("UDP", "0.0.0.0", 80), False),
        (("TCP", "0.0.0.0", 80), ("TCP", "0.0.0.0", 81), False),
    ],
)
def test_ports_conflict(one: tuple[str, str, int], other: tuple[str, str, int], *, conflicts: bool) -> None:
    """Two pods cannot have the same port of one protocol on one address; no address means all of them."""
    assert HostPort(*one).conflicts(HostPort(*other)) is conflicts
    assert HostPort(*other).conflicts(HostPort(*one)) is conflicts
