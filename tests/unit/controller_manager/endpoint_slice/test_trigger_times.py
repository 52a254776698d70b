"""When changes that have slices written happened."""

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.service_pb2 import Service
from kubewire.client.objects import key_of
from kubewire.controller_manager.endpoint_slice.trigger_times import TriggerTimes, in_words


def service(made_at: int = 100) -> Service:
    """A Service."""
    made = Service()
    made.metadata.name, made.metadata.namespace = "web", "default"
    made.metadata.creationTimestamp.seconds = made_at
    return made


def pod(name: str, changed_at: int) -> Pod:
    """A pod whose readiness turned then."""
    made = Pod()
    made.metadata.name = name
    made.status.conditions.add(type="Ready", status="True").lastTransitionTime.seconds = changed_at
    return made


def look_and_write(times: TriggerTimes, *pods: Pod, of: Service | None = None) -> float:
    """What is told with a write that succeeds."""
    of = of or service()
    changed_at, seen = times.look(of, pods)
    times.written(key_of(of), seen)
    return changed_at


def test_the_first_of_several_changes_counts() -> None:
    """What is written together is as old as the oldest change in it."""
    times = TriggerTimes()
    assert look_and_write(times) == 100
    assert look_and_write(times, pod("a", 130), pod("b", 120)) == 120
    assert look_and_write(times, pod("a", 130), pod("b", 140)) == 140


def test_what_was_written_does_not_count_again() -> None:
    """A pod that goes, or a write for another reason, has no time; a Service made anew has its own."""
    times = TriggerTimes()
    look_and_write(times, pod("a", 130), pod("b", 120))
    assert look_and_write(times, pod("a", 130)) == 0
    assert look_and_write(times, pod("a", 130), of=service(made_at=200)) == 200
    times.forget(key_of(service()))
    assert look_and_write(times, pod("a", 130)) == 100


def test_what_could_not_be_written_is_told_later() -> None:
    """A write that failed leaves its changes to be told with the next one."""
    times = TriggerTimes()
    look_and_write(times)
    assert times.look(service(), [pod("a", 130)])[0] == 130
    assert look_and_write(times, pod("a", 130), pod("b", 150)) == 130


def test_times_in_words() -> None:
    """The annotation has the form of Kubernetes' times; no time is no text."""
    assert in_words(1_700_000_000) == "2023-11-14T22:13:20Z"
    assert in_words(1_700_000_000.25) == "2023-11-14T22:13:20.250000Z"
    assert in_words(0.0) == ""
