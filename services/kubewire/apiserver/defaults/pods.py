"""Pods, and the pod specs inside templates, which take fewer defaults than pods do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.defaults.containers import default_container
from kubewire.apiserver.defaults.pod_resources import default_pod_resources
from kubewire.apiserver.defaults.resource_lists import default_requirements, default_resource_list
from kubewire.apiserver.defaults.volumes import default_volume

if TYPE_CHECKING:
    from kubewire.api.core.v1.container_pb2 import Container
    from kubewire.api.core.v1.pod_pb2 import ContainerStatus, Pod, PodStatus
    from kubewire.api.core.v1.pod_spec_pb2 import PodSpec, PodTemplateSpec
    from kubewire.api.core.v1.pod_template_pb2 import PodTemplate


def default_pod(pod: Pod) -> None:
    """Fill a pod: what only pods take, then what any pod spec takes."""
    spec = pod.spec
    default_pod_resources(spec)
    if not spec.HasField("enableServiceLinks"):
        spec.enableServiceLinks = True
    if spec.hostNetwork:
        _default_host_ports(spec)
    default_pod_spec(spec)
    if pod.HasField("status"):
        _default_status(pod.status)


def default_pod_template(template: PodTemplate) -> None:
    """Fill the kind PodTemplate."""
    default_template(template.template)


def default_template(template: PodTemplateSpec) -> None:
    """Fill the template of a workload."""
    default_pod_spec(template.spec)


def default_pod_spec(spec: PodSpec) -> None:
    """Fill what every pod spec takes, wherever it stands."""
    if not spec.dnsPolicy:
        spec.dnsPolicy = "ClusterFirst"
    if not spec.restartPolicy:
        spec.restartPolicy = "Always"
    if not spec.HasField("securityContext"):
        spec.securityContext.SetInParent()
    if not spec.HasField("terminationGracePeriodSeconds"):
        spec.terminationGracePeriodSeconds = 30
    if not spec.schedulerName:
        spec.schedulerName = "default-scheduler"
    _match_service_account(spec)
    _default_members(spec)


def _match_service_account(spec: PodSpec) -> None:
    """`serviceAccount` is the old name of `serviceAccountName`: servers show both, and the new one counts."""
    name = spec.serviceAccountName or spec.serviceAccount
    if name:
        spec.serviceAccountName = spec.serviceAccount = name


def _default_members(spec: PodSpec) -> None:
    for volume in spec.volumes:
        default_volume(volume)
    for container in spec.initContainers:
        default_container(container)
    for container in spec.containers:
        default_container(container)
    for ephemeral in spec.ephemeralContainers:
        default_container(ephemeral.ephemeralContainerCommon)
    default_resource_list(spec.overhead)
    if spec.HasField("resources"):
        default_requirements(spec.resources)


def _default_host_ports(spec: PodSpec) -> None:
    for container in spec.containers:
        _take_host_ports(container)
    for container in spec.initContainers:
        _take_host_ports(container)


def _take_host_ports(container: Container) -> None:
    for port in container.ports:
        if not port.hostPort:
            port.hostPort = port.containerPort


def _default_status(status: PodStatus) -> None:
    for container in status.initContainerStatuses:
        _default_container_status(container)
    for container in status.containerStatuses:
        _default_container_status(container)
    for container in status.ephemeralContainerStatuses:
        _default_container_status(container)
    default_resource_list(status.allocatedResources)
    if status.HasField("resources"):
        default_requirements(status.resources)
    _match_addresses(status)


def _default_container_status(status: ContainerStatus) -> None:
    default_resource_list(status.allocatedResources)
    if status.HasField("resources"):
        default_requirements(status.resources)


def _match_addresses(status: PodStatus) -> None:
    """`podIP` is the first of `podIPs`; where both are given and differ, `podIP` counts."""
    if status.podIP:
        if not status.podIPs or status.podIPs[0].ip != status.podIP:
            del status.podIPs[:]
            status.podIPs.add(ip=status.podIP)
    elif status.podIPs and status.podIPs[0].ip:
        status.podIP = status.podIPs[0].ip
