"""Pods' rows tell what keeps them from running."""

from google.protobuf import text_format

from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.apiserver.encoding.table.ages import Age
from kubewire.apiserver.encoding.table.pods import pod
from kubewire.apiserver.encoding.table.text import Cell

ONE = 'spec { containers { name: "a" } } '


def row(text: str) -> list[Cell]:
    """Ready, status and restarts of a pod in protobuf's text form."""
    return pod(text_format.Parse(text, Pod()))[1:4]


def test_a_running_pod() -> None:
    """Ready containers are counted, restarts say when the last one was."""
    status = """status { phase: "Running" containerStatuses { name: "a" ready: true restartCount: 3
        state { running {} } lastState { terminated { finishedAt { seconds: 77 } } } } }"""
    assert row(ONE + status) == ["1/1", "Running", ("3 (", Age(77), " ago)")]


def test_a_pending_pod() -> None:
    """Without container statuses the phase is all there is to say; a reason says more."""
    assert row(ONE + 'status { phase: "Pending" }') == ["0/1", "Pending", "0"]
    assert row(ONE + 'status { phase: "Failed" reason: "Evicted" }') == ["0/1", "Evicted", "0"]
    gated = 'status { phase: "Pending" conditions { type: "PodScheduled" status: "False" reason: "SchedulingGated" } }'
    assert row(ONE + gated)[1] == "SchedulingGated"


def test_waiting_containers_say_why() -> None:
    """The reason a container waits for is the pod's state."""
    waiting = 'restartCount: 2 state { waiting { reason: "CrashLoopBackOff" } }'
    status = f'status {{ phase: "Running" containerStatuses {{ {waiting} }} }}'
    assert row(ONE + status) == ["0/1", "CrashLoopBackOff", "2"]


def test_ended_containers_say_how() -> None:
    """Reason, signal or exit code, in that order."""
    ended = 'status {{ phase: "Running" containerStatuses {{ state {{ terminated {{ {} }} }} }} }}'
    assert row(ONE + ended.format('reason: "OOMKilled" exitCode: 137'))[1] == "OOMKilled"
    assert row(ONE + ended.format("signal: 9"))[1] == "Signal:9"
    assert row(ONE + ended.format("exitCode: 3"))[1] == "ExitCode:3"


def test_init_containers_come_first() -> None:
    """The first init container that has not succeeded is the pod's state."""
    spec = 'spec { initContainers { name: "i" } initContainers { name: "j" } containers { name: "a" } } '
    done = 'initContainerStatuses { name: "i" state { terminated { exitCode: 0 } } } '
    waits = 'initContainerStatuses { name: "j" restartCount: 4 state { waiting { reason: "PodInitializing" } } } '
    fails = 'initContainerStatuses { name: "j" state { waiting { reason: "CrashLoopBackOff" } } } '
    assert row(spec + f'status {{ phase: "Pending" {done} {waits} }}') == ["0/1", "Init:1/2", "4"]
    assert row(spec + f'status {{ phase: "Pending" {done} {fails} }}')[1] == "Init:CrashLoopBackOff"
    error = 'initContainerStatuses { name: "j" state { terminated { exitCode: 1 reason: "Error" } } } '
    assert row(spec + f'status {{ phase: "Pending" {done} {error} }}')[1] == "Init:Error"


def test_sidecars_count_as_containers() -> None:
    """A started sidecar is ready like a container and does not hold the pod back."""
    spec = 'spec { initContainers { name: "s" restartPolicy: "Always" } containers { name: "a" } } '
    status = """status { phase: "Running"
        initContainerStatuses { name: "s" started: true ready: true restartCount: 1 state { running {} } }
        containerStatuses { name: "a" ready: true state { running {} } } }"""
    assert row(spec + status) == ["2/2", "Running", "1"]


def test_a_completed_container_beside_a_running_one() -> None:
    """Some containers ended well: the pod runs, ready or not."""
    spec = 'spec { containers { name: "a" } containers { name: "b" } } '
    statuses = """containerStatuses { name: "a" state { terminated { reason: "Completed" } } }
        containerStatuses { name: "b" ready: true state { running {} } } """
    assert row(spec + f'status {{ phase: "Running" {statuses} }}')[:2] == ["1/2", "NotReady"]
    ready = 'conditions { type: "Ready" status: "True" }'
    assert row(spec + f'status {{ phase: "Running" {statuses} {ready} }}')[1] == "Running"


def test_deleted_pods_are_terminating() -> None:
    """Unless they have ended already, or their node is lost."""
    deleted = "metadata { deletionTimestamp { seconds: 1 } } "
    assert row(deleted + ONE + 'status { phase: "Running" }')[1] == "Terminating"
    assert row(deleted + ONE + 'status { phase: "Succeeded" }')[1] == "Succeeded"
    assert row(deleted + ONE + 'status { phase: "Running" reason: "NodeLost" }')[1] == "Unknown"


def test_wide_columns() -> None:
    """Address, node, nominated node and readiness gates, or that there is none."""
    bare = pod(text_format.Parse(ONE, Pod()))
    assert bare[5:] == ["<none>"] * 4
    full = """spec { nodeName: "n" readinessGates { conditionType: "g" } readinessGates { conditionType: "h" } }
        status { podIPs { ip: "10.0.0.1" } nominatedNodeName: "m" conditions { type: "g" status: "True" } }"""
    assert pod(text_format.Parse(full, Pod()))[5:] == ["10.0.0.1", "n", "m", "1/2"]
