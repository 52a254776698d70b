"""Which pods a node takes."""

import pytest

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.kubelet.pods.admission import Applicant, Ledger, admit, requests_of
from kubewire.kubelet.table import CHECKS
from tests.unit.kubelet.manifests import pod_of

ROOM = {"cpu": 2000, "memory": 1 << 30, "ephemeral-storage": 1 << 30, "pods": 3}
SMALL = "{containers: [{name: a, resources: {requests: {cpu: 500m}}, ports: [{containerPort: 80, hostPort: 8080}]}]}"


def refusal(spec: str, *others: str, taint: str = "") -> str:
    """`reason: message` of the refusal; empty if it is taken."""
    node = Node()
    node.metadata.name = "n1"
    node.metadata.labels.update({"disk": "ssd", "rack": "7"})
    if taint:
        key, _, effect = taint.partition(":")
        node.spec.taints.add(key=key, effect=effect)
    ledger = Ledger()
    for number, other in enumerate(others):
        ledger.take(pod_of(other, uid=f"other-{number}"))
    trouble = admit(Applicant(pod_of(spec), ledger, node, ROOM), CHECKS)
    return "" if trouble is None else f"{trouble.reason}: {trouble.message}"


def requiring(operator: str, key: str, *values: str) -> str:
    """A pod with required node affinity."""
    expression = f"{{key: {key}, operator: {operator}, values: [{', '.join(repr(value) for value in values)}]}}"
    terms = f"{{nodeSelectorTerms: [{{matchExpressions: [{expression}]}}]}}"
    return f"{{affinity: {{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {terms}}}}}}}"


@pytest.mark.parametrize(
    "spec",
    [
        "{}",
        SMALL,
        "{nodeSelector: {disk: ssd}}",
        requiring("In", "disk", "ssd", "hdd"),
        requiring("NotIn", "disk", "hdd"),
        requiring("Exists", "rack"),
        requiring("DoesNotExist", "gpu"),
        requiring("Gt", "rack", "6"),
        requiring("Lt", "rack", "8"),
        "{os: {name: linux}}",
    ],
)
def test_who_fits_is_taken(spec: str) -> None:
    """Nothing is held against it."""
    assert refusal(spec) == ""


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("{os: {name: windows}}", "PodOSNotSupported"),
        ("{nodeSelector: {disk: hdd}}", "NodeAffinity"),
        (requiring("In", "disk", "hdd"), "NodeAffinity"),
        (requiring("DoesNotExist", "rack"), "NodeAffinity"),
        (requiring("Gt", "rack", "7"), "NodeAffinity"),
        (requiring("Gt", "disk", "7"), "NodeAffinity"),
        ("{containers: [{name: a, resources: {requests: {memory: 2Gi}}}]}", "OutOfmemory"),
        ("{containers: [{name: a, resources: {requests: {nvidia.com/gpu: 1}}}]}", "OutOfnvidia.com/gpu"),
    ],
)
def test_who_does_not_fit_is_not(spec: str, reason: str) -> None:
    """And the reason says what is in the way."""
    assert refusal(spec).startswith(f"{reason}: Pod was rejected: ")


def test_what_others_have_is_taken() -> None:
    """CPU, ports and places."""
    assert refusal(SMALL, SMALL).startswith("NodePorts:")
    big = "{containers: [{name: a, resources: {requests: {cpu: 1600m}}}]}"
    assert refusal(big, SMALL) == (
        "OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 1600, used: 500, capacity: 2000"
    )
    assert refusal("{}", "{}", "{}", "{}").startswith("OutOfpods:")


def test_ports_of_other_addresses_and_protocols_are_free() -> None:
    """They clash when port, protocol and address do."""
    port = "{containers: [{name: a, ports: [{containerPort: 80, hostPort: 8080, %s}]}]}"
    assert refusal(port % "protocol: UDP", SMALL) == ""
    assert refusal(port % "hostIP: 192.0.2.1", port % "hostIP: 192.0.2.2") == ""
    assert refusal(port % "hostIP: 192.0.2.1", SMALL).startswith("NodePorts:")


def test_taints_that_end_pods_keep_them_away() -> None:
    """Those that only keep new pods from being scheduled do not: this one was."""
    assert refusal("{}", taint="gone:NoExecute").startswith("TaintToleration:")
    assert refusal("{tolerations: [{key: gone, operator: Exists}]}", taint="gone:NoExecute") == ""
    assert refusal("{tolerations: [{operator: Exists}]}", taint="gone:NoExecute") == ""
    assert refusal("{}", taint="busy:NoSchedule") == ""


def test_requests_are_those_of_the_busiest_moment() -> None:
    """Init containers run alone but for the sidecars before them."""
    pod = pod_of(
        """
        overhead: {cpu: 10m}
        initContainers:
        - {name: side, restartPolicy: Always, resources: {requests: {cpu: 100m}}}
        - {name: one, resources: {requests: {cpu: 900m}}}
        containers:
        - {name: app, resources: {requests: {cpu: 300m, memory: 1Mi}}}
        - {name: aid, resources: {requests: {cpu: 300m}}}
        """
    )
    assert requests_of(pod) == {"cpu": 1010, "memory": 1 << 20}


def test_what_is_released_is_free_again() -> None:
    """Once, however often it is said."""
    ledger = Ledger()
    ledger.take(pod_of(SMALL, uid="a"))
    ledger.take(pod_of(SMALL, uid="b"))
    for _ in range(2):
        ledger.release("a")
    assert (len(ledger), ledger.totals, len(ledger.ports)) == (1, {"cpu": 500}, 1)
