"""Questions about a pod's life."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.controller_manager.pods.facts import available_at, is_active, is_ready, is_terminating, restarts


def pod(phase: str = "Running", *, going: bool = False) -> Pod:
    """A pod."""
    made = Pod()
    made.status.phase = phase
    if going:
        made.metadata.deletionTimestamp.seconds = 5
    return made


def test_active_and_terminating() -> None:
    """Active is what neither ended nor goes; terminating what goes and has not ended."""
    assert [is_active(one) for one in (pod(), pod("Failed"), pod(going=True))] == [True, False, False]
    assert [is_terminating(one) for one in (pod(), pod("Failed", going=True), pod(going=True))] == [False, False, True]


def test_available_at() -> None:
    """At once without a minimum; after the minimum from when it became ready; never while it is not ready."""
    made = pod()
    assert available_at(made, 0) is None
    condition = made.status.conditions.add(type="Ready", status="False")
    assert not is_ready(made)
    condition.status = "True"
    assert available_at(made, 0) == 0
    assert available_at(made, 30) is None, "nobody said since when"
    condition.lastTransitionTime.seconds = 100
    assert available_at(made, 30) == 130


def test_restarts() -> None:
    """Those of the container that was restarted most."""
    made = pod()
    assert restarts(made) == 0
    for count in (1, 4, 2):
        made.status.containerStatuses.add(name=f"c{count}", restartCount=count)
    assert restarts(made) == 4
