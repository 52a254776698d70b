"""Every served kind has cells for its columns."""

import pytest
from google.protobuf import text_format

from kubewire.apiserver.encoding.table.ages import Age
from kubewire.apiserver.encoding.table.cells import CELLS, fallback_cells
from kubewire.apiserver.encoding.table.columns import FALLBACK, columns_of
from kubewire.apiserver.encoding.table.text import Cell
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.messages import message_class
from kubewire.machinery.resources import builtin, proto_package

METADATA = 'metadata { name: "n" namespace: "ns" creationTimestamp { seconds: 60 } }'


def cells(api_version: str, kind: str, text: str) -> list[Cell]:
    """The cells of an object in protobuf's text form, with METADATA."""
    gvk = GroupVersionKind.from_api_version(api_version, kind)
    message = message_class(f"{proto_package(gvk.group, gvk.version)}.{kind}")()
    return CELLS[gvk](text_format.Merge(METADATA + text, message))


@pytest.mark.parametrize("gvk", CELLS, ids=str)
def test_a_bare_object_fills_every_column(gvk: GroupVersionKind) -> None:
    """Whatever is missing in an object, its row has one cell for each column."""
    made = cells(gvk.api_version, gvk.kind, "")
    assert len(made) == len(columns_of(gvk.group, gvk.kind))
    if gvk.kind != "Event":
        assert made[0] == "n"


def test_kinds_with_columns_have_cells() -> None:
    """Of the kinds served, exactly those with columns of their own have a function for their cells."""
    with_columns = {item.gvk for item in builtin().served() if columns_of(item.group, item.kind) is not FALLBACK}
    scale = GroupVersionKind("autoscaling", "v1", "Scale")  # a subresource
    assert with_columns == set(CELLS) - {scale}


def test_other_kinds_have_name_and_time() -> None:
    """Kinds without columns show when they were created."""
    message = message_class("k8s.io.api.rbac.v1.Role")()
    text_format.Parse(METADATA, message)
    assert fallback_cells(message.metadata) == ["n", "1970-01-01T00:01:00Z"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("api_version", "kind", "text", "expected"),
    [
        (
            "v1",
            "Node",
            """spec { unschedulable: true } status { conditions { type: "Ready" status: "True" }
            nodeInfo { kubeletVersion: "v1" } addresses { type: "InternalIP" address: "10.0.0.9" } }""",
            ["n", "Ready,SchedulingDisabled", "<none>", Age(60), "v1", "10.0.0.9", "<none>", *["<unknown>"] * 3],
        ),
        (
            "v1",
            "Service",
            """spec { type: "NodePort" clusterIPs: "10.0.0.1" selector { key: "b" value: "2" }
            selector { key: "a" value: "1" }
            ports { port: 80 protocol: "TCP" } ports { port: 53 nodePort: 30053 protocol: "UDP" } }""",
            ["n", "NodePort", "10.0.0.1", "<none>", "80/TCP,53:30053/UDP", Age(60), "a=1,b=2"],
        ),
        (
            "v1",
            "Service",
            """spec { type: "LoadBalancer" clusterIPs: "10.0.0.1" externalIPs: "1.1.1.1" }
            status { loadBalancer { ingress { hostname: "h" } } }""",
            ["n", "LoadBalancer", "10.0.0.1", "h,1.1.1.1", "<none>", Age(60), "<none>"],
        ),
        (
            "v1",
            "Endpoints",
            """subsets { addresses { ip: "1.1.1.1" } addresses { ip: "fd::1" } ports { port: 1 } ports { port: 2 } }""",
            ["n", "1.1.1.1:1,[fd::1]:1,1.1.1.1:2 + 1 more...", Age(60)],
        ),
        (
            "discovery.k8s.io/v1",
            "EndpointSlice",
            """addressType: "IPv4" ports { port: 80 } ports { name: "x" } endpoints { addresses: "1.1.1.1" }""",
            ["n", "IPv4", "80,x", "1.1.1.1", Age(60)],
        ),
        (
            "apps/v1",
            "Deployment",
            """spec { replicas: 3 selector { matchLabels { key: "a" value: "b" } }
            template { spec { containers { name: "c" image: "i" } containers { name: "d" image: "j" } } } }
            status { readyReplicas: 1 updatedReplicas: 2 availableReplicas: 1 }""",
            ["n", "1/3", 2, 1, Age(60), "c,d", "i,j", "a=b"],
        ),
        (
            "batch/v1",
            "Job",
            """spec { completions: 2 } status { succeeded: 2 startTime { seconds: 10 } completionTime { seconds: 25 }
            conditions { type: "Complete" status: "True" } }""",
            ["n", "Complete", "2/2", "15s", Age(60), "", "", "<none>"],
        ),
        (
            "batch/v1",
            "Job",
            """spec { parallelism: 3 } status { startTime { seconds: 10 } }""",
            ["n", "Running", "0/1 of 3", Age(10), Age(60), "", "", "<none>"],
        ),
        (
            "batch/v1",
            "CronJob",
            """spec { schedule: "* * * * *" suspend: false }
            status { lastScheduleTime { seconds: 7 } active { name: "x" } }""",
            ["n", "* * * * *", "<none>", "False", 1, Age(7), Age(60), "", "", "<none>"],
        ),
        (
            "v1",
            "PersistentVolumeClaim",
            """spec { volumeName: "v" storageClassName: "s" volumeMode: "Filesystem" }
            status { phase: "Bound" accessModes: "ReadWriteMany" accessModes: "ReadWriteOnce"
            capacity { key: "storage" value { string: "1Gi" } } }""",
            ["n", "Bound", "v", "1Gi", "RWO,RWX", "s", "<unset>", Age(60), "Filesystem"],
        ),
        (
            "v1",
            "ResourceQuota",
            """status { hard { key: "limits.cpu" value { string: "2" } } hard { key: "pods" value { string: "9" } }
            used { key: "pods" value { string: "3" } } }""",
            ["n", "pods: 3/9", "limits.cpu: 0/2", Age(60)],
        ),
        (
            "v1",
            "Event",
            """involvedObject { kind: "Pod" name: "p" } reason: "R" type: "Normal" message: " hello\\n"
            source { component: "c" host: "h" } firstTimestamp { seconds: 5 } lastTimestamp { seconds: 9 } count: 4""",
            [Age(9), "Normal", "R", "pod/p", "", "c, h", "hello", Age(5), 4, "n"],
        ),
        (
            "events.k8s.io/v1",
            "Event",
            """regarding { kind: "Pod" name: "p" } reason: "R" type: "Normal" note: "hello" eventTime { seconds: 5 }
            series { count: 7 lastObservedTime { seconds: 9 } } reportingController: "c" """,
            [Age(9), "Normal", "R", "pod/p", "", "c", "hello", Age(5), 7, "n"],
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "RoleBinding",
            """roleRef { kind: "Role" name: "r" } subjects { kind: "User" name: "u" }
            subjects { kind: "ServiceAccount" namespace: "x" name: "s" } subjects { kind: "User" name: "w" }""",
            ["n", "Role/r", Age(60), "u, w", "", "x/s"],
        ),
        (
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            """spec { scaleTargetRef { kind: "Deployment" name: "d" } maxReplicas: 5
            metrics { type: "Resource" resource { name: "cpu" target { averageUtilization: 80 } } }
            metrics { type: "Object" object { target { value { string: "9" } } } }
            metrics { type: "Pods" pods { target { averageValue { string: "1" } } } } }
            status { currentReplicas: 2
            currentMetrics { resource { name: "cpu" current { averageUtilization: 7 } } } }""",
            ["n", "Deployment/d", "cpu: 7%/80%, <unknown>/9 + 1 more...", "<unset>", 5, 2, Age(60)],
        ),
        (
            "autoscaling/v1",
            "HorizontalPodAutoscaler",
            """spec { scaleTargetRef { kind: "Deployment" name: "d" } minReplicas: 1 maxReplicas: 5
            targetCPUUtilizationPercentage: 80 }""",
            ["n", "Deployment/d", "cpu: <unknown>/80%", "1", 5, 0, Age(60)],
        ),
        (
            "policy/v1",
            "PodDisruptionBudget",
            """spec { minAvailable { type: 1 strVal: "50%" } } status { disruptionsAllowed: 1 }""",
            ["n", "50%", "N/A", 1, Age(60)],
        ),
        (
            "storage.k8s.io/v1",
            "StorageClass",
            """provisioner: "p" reclaimPolicy: "Retain" metadata { annotations {
            key: "storageclass.kubernetes.io/is-default-class" value: "true" } }""",
            ["n (default)", "p", "Retain", "Immediate", False, Age(60)],
        ),
        (
            "networking.k8s.io/v1",
            "Ingress",
            """spec { ingressClassName: "c" rules { host: "a" } rules { host: "b" } tls { secretName: "s" } }
            status { loadBalancer { ingress { ip: "1.1.1.1" } } }""",
            ["n", "c", "a,b", "1.1.1.1", "80, 443", Age(60)],
        ),
        (
            "apps/v1",
            "ControllerRevision",
            """revision: 3 metadata { ownerReferences {
            apiVersion: "apps/v1" kind: "DaemonSet" name: "d" controller: true } }""",
            ["n", "daemonset.apps/d", 3, Age(60)],
        ),
    ],
)
def test_cells_read_as_upstreams(api_version: str, kind: str, text: str, expected: list[Cell]) -> None:
    """Objects are summed up in the words kubectl's users know."""
    assert cells(api_version, kind, text) == expected
