"""A pod's phase, from what is reported of its containers."""

import pytest

from kubewire.api.core.v1.pod_pb2 import ContainerStatus
from kubewire.kubelet.pods.containers import specs_of
from kubewire.kubelet.pods.phase import phase_of
from tests.unit.kubelet.manifests import pod_of

STATES = {"run", "wait", "ok", "bad", "again"}


def status_of(name: str, state: str) -> ContainerStatus:
    """run; wait: never ran; ok and bad: ended so; again: ended badly and waits to be run again."""
    status = ContainerStatus(name=name, started=state == "run")
    if state == "run":
        status.state.running.SetInParent()
    elif state in {"ok", "bad"}:
        status.state.terminated.exitCode = int(state == "bad")
    else:
        status.state.waiting.reason = "CrashLoopBackOff" if state == "again" else "ContainerCreating"
        if state == "again":
            status.lastState.terminated.exitCode = 1
    return status


def phase(policy: str, main: str, init: str = "", sidecars: str = "", *, is_over: bool = False) -> str:
    """The phase of a pod whose containers are in these states."""
    steps = [f"{{name: i{place}}}" for place, _ in enumerate(init.split())]
    beside = [f"{{name: s{place}, restartPolicy: Always}}" for place, _ in enumerate(sidecars.split())]
    mains = [f"{{name: m{place}}}" for place, _ in enumerate(main.split())]
    first, then = ", ".join((*beside, *steps)), ", ".join(mains)
    pod = pod_of(f"{{restartPolicy: {policy}, initContainers: [{first}], containers: [{then}]}}")
    statuses = {
        f"{kind}{place}": status_of(f"{kind}{place}", state)
        for kind, states in (("i", init), ("s", sidecars), ("m", main))
        for place, state in enumerate(states.split())
    }
    return phase_of(pod, specs_of(pod), statuses, is_over=is_over)


@pytest.mark.parametrize(
    ("policy", "main", "expected"),
    [
        ("Always", "wait", "Pending"),
        ("Always", "run wait", "Pending"),
        ("Always", "run", "Running"),
        ("Always", "again", "Running"),
        ("Always", "ok", "Running"),
        ("Always", "bad", "Running"),
        ("Always", "run again", "Running"),
        ("OnFailure", "ok", "Succeeded"),
        ("OnFailure", "ok bad", "Running"),
        ("OnFailure", "ok again", "Running"),
        ("Never", "ok ok", "Succeeded"),
        ("Never", "ok bad", "Failed"),
        ("Never", "run bad", "Running"),
    ],
)
def test_main_containers(policy: str, main: str, expected: str) -> None:
    """What runs, what ended, and what will run again."""
    assert phase(policy, main) == expected


@pytest.mark.parametrize(
    ("policy", "init", "main", "expected"),
    [
        ("Always", "run", "wait", "Pending"),
        ("Always", "ok run", "wait", "Pending"),
        ("Always", "bad", "wait", "Pending"),
        ("Never", "bad", "wait", "Failed"),
        ("Never", "ok", "run", "Running"),
        # A sandbox that was lost: init containers run again while the main ones have run before.
        ("Always", "wait", "again", "Running"),
    ],
)
def test_init_containers(policy: str, init: str, main: str, expected: str) -> None:
    """A pod is pending until they have done their work, and failed if they never will."""
    assert phase(policy, main, init) == expected


@pytest.mark.parametrize(
    ("sidecars", "main", "expected"),
    [("wait", "wait", "Pending"), ("run", "run", "Running"), ("again", "run", "Running"), ("run", "ok", "Running")],
)
def test_sidecars(sidecars: str, main: str, expected: str) -> None:
    """A pod whose sidecars still run has not ended."""
    assert phase("Never", main, sidecars=sidecars) == expected


def test_what_is_over_has_ended_one_way_or_the_other() -> None:
    """Whatever the policy would have run again."""
    assert phase("Always", "ok ok", is_over=True) == "Succeeded"
    assert phase("Always", "ok bad", is_over=True) == "Failed"
