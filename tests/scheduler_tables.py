"""Nodes and pods as lines of text, for tests of the scheduler: a name, then what it has, `key=value`.

    n1   cpu=4 memory=8Gi zone=a taint=gpu=yes:NoSchedule image=web:1@500Mi cordoned
    web  cpu=500m app=web on=n1 port=80 tolerate=gpu select=zone:a near=app:db@zone far=app:web@host spread=zone:1

What is no word of these tables is a label. A node's own name is its label `host`. In wishes about other pods,
`app:web@zone` is the pods labelled app=web in the same zone; `near~`, `far~` and `spread~` are preferences.
"""

from collections.abc import Callable, Iterator
from typing import Final

from kubewire.api.core.v1.node_pb2 import Node
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.api.core.v1.scheduling_pb2 import PodAffinityTerm
from kubewire.machinery.quantity import value_of
from kubewire.scheduler.pods.pod import PodInfo, pod_info
from kubewire.scheduler.snapshot.node import NodeInfo, node_info

_RESOURCES: Final = {"cpu", "memory", "pods", "gpu"}
_USUAL: Final = {"cpu": "4", "memory": "16Gi", "pods": "110"}


def node(line: str) -> NodeInfo:
    """A node of one line; without amounts it has four CPUs, 16Gi and room for 110 pods."""
    return node_info(node_message(line))


def node_message(line: str) -> Node:
    """The same as a message."""
    name, words = _words(line)
    made = Node()
    made.metadata.name = name
    made.metadata.labels["host"] = name
    for resource, amount in _USUAL.items():
        made.status.allocatable[resource].string = amount
    for key, value in words:
        _add_to_node(made, key, value)
    return made


def pod(line: str, *, namespace: str = "default") -> PodInfo:
    """A pod of one line."""
    return pod_info(pod_message(line, namespace=namespace))


def pod_message(line: str, *, namespace: str = "default") -> Pod:
    """The same as a message."""
    name, words = _words(line)
    made = Pod()
    made.metadata.name, made.metadata.namespace, made.metadata.uid = name, namespace, f"uid-of-{name}"
    made.spec.schedulerName = "default-scheduler"
    made.spec.containers.add(name="main")
    for key, value in words:
        if key in _WORDS:
            _WORDS[key](made, value)
        elif key in _RESOURCES:
            made.spec.containers[0].resources.requests[key].string = value
        else:
            made.metadata.labels[key] = value
    return made


def lines(text: str) -> list[str]:
    """The lines of a table that say something."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def _words(line: str) -> tuple[str, list[tuple[str, str]]]:
    name, *words = line.split()
    return name, [(key, value) for key, _, value in (word.partition("=") for word in words)]


def _add_to_node(made: Node, key: str, value: str) -> None:
    match key:
        case "cordoned":
            made.spec.unschedulable = True
        case "taint":
            what, _, effect = value.partition(":")
            taint, _, of = what.partition("=")
            made.spec.taints.add(key=taint, value=of, effect=effect)
        case "image":
            image, _, size = value.partition("@")
            made.status.images.add(names=[image], sizeBytes=value_of(size))
        case _ if key in _RESOURCES:
            made.status.allocatable[key].string = value
        case _:
            made.metadata.labels[key] = value


def _terms(value: str) -> Iterator[PodAffinityTerm]:
    what, _, key = value.partition("@")
    label, _, of = what.partition(":")
    term = PodAffinityTerm(topologyKey=key)
    term.labelSelector.matchLabels[label] = of
    yield term


def _near(made: Pod, value: str) -> None:
    made.spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution.extend(_terms(value))


def _far(made: Pod, value: str) -> None:
    made.spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution.extend(_terms(value))


def _rather_near(made: Pod, value: str) -> None:
    for term in _terms(value):
        wishes = made.spec.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution
        wishes.add(weight=10).podAffinityTerm.CopyFrom(term)


def _rather_far(made: Pod, value: str) -> None:
    for term in _terms(value):
        wishes = made.spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution
        wishes.add(weight=10).podAffinityTerm.CopyFrom(term)


def _spread(made: Pod, value: str, when: str = "DoNotSchedule") -> None:
    """Over a key, by the pod's labels so far."""
    key, _, skew = value.partition(":")
    one = made.spec.topologySpreadConstraints.add(topologyKey=key, maxSkew=int(skew), whenUnsatisfiable=when)
    one.labelSelector.SetInParent()
    for label, of in made.metadata.labels.items():
        one.labelSelector.matchLabels[label] = of


def _prefer(made: Pod, value: str) -> None:
    key, _, of = value.partition(":")
    wish = made.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.add(weight=10)
    wish.preference.matchExpressions.add(key=key, operator="In", values=[of])


def _avoid(made: Pod, value: str) -> None:
    key, _, of = value.partition(":")
    terms = made.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms
    terms.add().matchExpressions.add(key=key, operator="NotIn", values=of.split(","))


def _on(made: Pod, value: str) -> None:
    made.spec.nodeName = value


def _port(made: Pod, value: str) -> None:
    made.spec.containers[0].ports.add(hostPort=int(value), containerPort=int(value))


def _tolerate(made: Pod, value: str) -> None:
    made.spec.tolerations.add(key=value, operator="Exists")


def _select(made: Pod, value: str) -> None:
    key, _, of = value.partition(":")
    made.spec.nodeSelector[key] = of


def _image(made: Pod, value: str) -> None:
    made.spec.containers[0].image = value


def _gate(made: Pod, value: str) -> None:
    made.spec.schedulingGates.add(name=value)


def _priority(made: Pod, value: str) -> None:
    made.spec.priority = int(value)


_WORDS: Final[dict[str, Callable[[Pod, str], None]]] = {
    "on": _on,
    "port": _port,
    "tolerate": _tolerate,
    "select": _select,
    "prefer": _prefer,
    "avoid": _avoid,
    "near": _near,
    "far": _far,
    "near~": _rather_near,
    "far~": _rather_far,
    "spread": _spread,
    "spread~": lambda made, value: _spread(made, value, "ScheduleAnyway"),
    "image": _image,
    "gate": _gate,
    "priority": _priority,
}
