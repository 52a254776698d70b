"""What the runtime is told to make: a pod's sandbox and its containers. Pure; what it needs is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from kubewire.api.core.v1.container_pb2 import Container
from kubewire.api.core.v1.pod_pb2 import Pod
from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.contracts import Mount
from kubewire.kubelet.environment.expansion import expand_words
from kubewire.kubelet.pods.containers import hash_of
from kubewire.kubelet.pods.dns import Resolving, dns_config
from kubewire.kubelet.pods.folders import log_path
from kubewire.kubelet.pods.host_names import host_name
from kubewire.kubelet.pods.resources import cgroup_parent, container_resources, sandbox_resources
from kubewire.kubelet.pods.security import ImageUser, container_security, sandbox_security
from kubewire.kubelet.runtime import labels
from kubewire.kubelet.runtime.contracts import PodIdentity

DEFAULT_MESSAGE_PATH: Final = "/dev/termination-log"
_PROPAGATIONS: Final = {
    "HostToContainer": cri.PROPAGATION_HOST_TO_CONTAINER,
    "Bidirectional": cri.PROPAGATION_BIDIRECTIONAL,
}
_PROTOCOLS: Final = {"UDP": cri.UDP, "SCTP": cri.SCTP}


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What configurations take from the node."""

    name: str
    cluster_dns: Sequence[str]
    cluster_domain: str
    resolving: Resolving
    cgroup_root: str
    memory_capacity: int


@dataclass(frozen=True, slots=True)
class Ingredients:
    """What a container is made of beside its spec.

    Attributes:
        message_file: where on the node the message of its end will lie.
        target_id: of the container whose processes it sees; empty: its own alone.
    """

    attempt: int
    image_ref: str
    image_user: ImageUser
    variables: Sequence[tuple[str, str]]
    mounts: Sequence[Mount]
    message_file: Path
    log_file: Path
    target_id: str = ""


def identity_of(pod: Pod) -> PodIdentity:
    """Which pod."""
    return PodIdentity(pod.metadata.uid, pod.metadata.namespace, pod.metadata.name)


def sandbox_config(pod: Pod, attempt: int, log_folder: Path, node: NodeFacts) -> cri.PodSandboxConfig:
    """A pod's sandbox."""
    metadata = pod.metadata
    config = cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(
            name=metadata.name, uid=metadata.uid, namespace=metadata.namespace, attempt=attempt
        ),
        # On the node's network there is no UTS namespace of the pod's own that a name could be set in.
        hostname="" if pod.spec.hostNetwork else host_name(pod, node.cluster_domain, node.name),
        log_directory=str(log_folder),
        dns_config=dns_config(pod, node.cluster_dns, node.cluster_domain, node.resolving),
        port_mappings=_port_mappings(pod),
        labels={**metadata.labels, **labels.pod_labels(identity_of(pod))},
        annotations=metadata.annotations,
    )
    config.linux.cgroup_parent = cgroup_parent(node.cgroup_root, pod)
    config.linux.security_context.CopyFrom(sandbox_security(pod))
    config.linux.resources.CopyFrom(sandbox_resources())
    for sysctl in pod.spec.securityContext.sysctls:
        config.linux.sysctls[sysctl.name] = sysctl.value
    return config


def container_config(pod: Pod, container: Container, made_of: Ingredients, node: NodeFacts) -> cri.ContainerConfig:
    """A container.

    Raises:
        ContainerConfigError: its security context cannot be kept.
    """
    variables = dict(made_of.variables)
    config = cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name=container.name, attempt=made_of.attempt),
        image=cri.ImageSpec(image=made_of.image_ref, user_specified_image=container.image),
        command=expand_words(container.command, variables),
        args=expand_words(container.args, variables),
        working_dir=container.workingDir,
        envs=[cri.KeyValue(key=name, value=value.encode()) for name, value in made_of.variables],
        mounts=[_mount(mount) for mount in made_of.mounts],
        labels={**labels.pod_labels(identity_of(pod)), labels.CONTAINER_NAME: container.name},
        annotations=_annotations(pod, container, made_of),
        log_path=log_path(container.name, made_of.attempt),
        stdin=container.stdin,
        stdin_once=container.stdinOnce,
        tty=container.tty,
    )
    signal = container.lifecycle.stopSignal
    if signal in cri.Signal.DESCRIPTOR.values_by_name:
        config.stop_signal = cri.Signal.Value(signal)
    config.linux.resources.CopyFrom(container_resources(pod, container, node.memory_capacity))
    config.linux.security_context.CopyFrom(container_security(pod, container, made_of.image_user))
    if made_of.target_id:
        namespaces = config.linux.security_context.namespace_options
        namespaces.pid, namespaces.target_id = cri.TARGET, made_of.target_id
    return config


def _annotations(pod: Pod, container: Container, made_of: Ingredients) -> dict[str, str]:
    """All that a kubelet has to know of the container after its own restart."""
    streams = [name for name in ("stdin", "stdinOnce", "tty") if getattr(container, name)]
    found = {
        labels.HASH: hash_of(container.name, container.image),
        labels.RESTARTS: str(made_of.attempt),
        labels.MESSAGE_PATH: container.terminationMessagePath or DEFAULT_MESSAGE_PATH,
        labels.MESSAGE_POLICY: container.terminationMessagePolicy or "File",
        labels.MESSAGE_FILE: str(made_of.message_file),
        labels.LOG_FILE: str(made_of.log_file),
        labels.STREAMS: ",".join(streams),
    }
    if pod.spec.HasField("terminationGracePeriodSeconds"):
        found[labels.POD_GRACE] = str(pod.spec.terminationGracePeriodSeconds)
    if container.lifecycle.HasField("preStop"):
        found[labels.PRE_STOP] = container.lifecycle.preStop.SerializeToString().hex()
    if container.ports:
        ports = [{"name": one.name, "containerPort": one.containerPort} for one in container.ports]
        found[labels.PORTS] = orjson.dumps(ports).decode()
    return found


def _port_mappings(pod: Pod) -> list[cri.PortMapping]:
    if pod.spec.hostNetwork:
        return []
    return [
        cri.PortMapping(
            protocol=_PROTOCOLS.get(port.protocol, cri.TCP),
            container_port=port.containerPort,
            host_port=port.hostPort,
            host_ip=port.hostIP,
        )
        for container in (*pod.spec.initContainers, *pod.spec.containers)
        for port in container.ports
        if port.hostPort
    ]


def _mount(mount: Mount) -> cri.Mount:
    return cri.Mount(
        container_path=mount.container_path,
        host_path=str(mount.host_path),
        readonly=mount.readonly,
        selinux_relabel=mount.selinux_relabel,
        propagation=_PROPAGATIONS.get(mount.propagation, cri.PROPAGATION_PRIVATE),
    )
