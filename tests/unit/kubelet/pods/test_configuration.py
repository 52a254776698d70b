"""What the runtime is told to make."""

from pathlib import Path

from kubewire.cri.v1 import api_pb2 as cri
from kubewire.kubelet.contracts import Mount
from kubewire.kubelet.pods.configuration import Ingredients, NodeFacts, container_config, sandbox_config
from kubewire.kubelet.pods.dns import Resolving
from kubewire.kubelet.pods.security import ImageUser
from kubewire.kubelet.runtime import labels
from tests.unit.kubelet.manifests import pod_of

NODE = NodeFacts("n1", ("10.96.0.10",), "cluster.local", Resolving(), "/kw", 8 << 30)
LOGS = Path("/logs/shop_web_uid-1")


def made(spec: str, *variables: tuple[str, str]) -> cri.ContainerConfig:
    """The configuration of a pod's one container."""
    pod = pod_of(spec)
    mounts = [Mount("/data", Path("/vol"), readonly=True, propagation="HostToContainer")]
    made_of = Ingredients(2, "sha256:abc", ImageUser(), variables, mounts, Path("/messages/x"), LOGS / "app/2.log")
    return container_config(pod, pod.spec.containers[0], made_of, NODE)


def test_commands_and_arguments_know_the_variables() -> None:
    """What is not set stays as it is written."""
    config = made("{containers: [{name: app, command: [run, $(WHO)], args: [$(NOBODY), $$(WHO)]}]}", ("WHO", "me"))
    assert (list(config.command), list(config.args)) == (["run", "me"], ["$(NOBODY)", "$(WHO)"])
    assert [(one.key, one.value) for one in config.envs] == [("WHO", b"me")]


def test_a_container_carries_what_the_next_kubelet_has_to_know() -> None:
    """In labels and annotations under Kubernetes' keys."""
    config = made(
        """
        terminationGracePeriodSeconds: 7
        containers: [{name: app, image: "a:1", tty: true, stdin: true, terminationMessagePolicy: FallbackToLogsOnError,
                      lifecycle: {preStop: {sleep: {seconds: 3}}, stopSignal: SIGUSR1}}]
        """
    )
    assert dict(config.labels) == {
        "io.kubernetes.pod.name": "web",
        "io.kubernetes.pod.namespace": "shop",
        "io.kubernetes.pod.uid": "uid-1",
        "io.kubernetes.container.name": "app",
    }
    assert config.annotations[labels.RESTARTS] == "2"
    assert config.annotations[labels.POD_GRACE] == "7"
    assert config.annotations[labels.STREAMS] == "stdin,tty"
    assert config.annotations[labels.MESSAGE_POLICY] == "FallbackToLogsOnError"
    assert labels.PRE_STOP in config.annotations
    assert (config.metadata.attempt, config.log_path, config.stop_signal) == (2, "app/2.log", cri.SIGUSR1)


def test_mounts_are_as_they_were_asked_for() -> None:
    """Read-only and propagation included."""
    (mount,) = made("{containers: [{name: app}]}").mounts
    assert (mount.container_path, mount.host_path, mount.readonly) == ("/data", "/vol", True)
    assert mount.propagation == cri.PROPAGATION_HOST_TO_CONTAINER


def test_a_sandbox_has_the_pods_name_network_and_ports() -> None:
    """Ports of the node are mapped unless the pod is on its network anyway."""
    spec = """
    hostname: baker
    securityContext: {sysctls: [{name: net.ipv4.ip_unprivileged_port_start, value: "0"}]}
    containers: [{name: app, ports: [{containerPort: 53, hostPort: 5353, protocol: UDP}, {containerPort: 80}]}]
    """
    config = sandbox_config(pod_of(spec), 1, LOGS, NODE)
    assert (config.metadata.attempt, config.hostname, config.log_directory) == (1, "baker", str(LOGS))
    assert [(one.host_port, one.container_port, one.protocol) for one in config.port_mappings] == [(5353, 53, cri.UDP)]
    assert config.linux.sysctls["net.ipv4.ip_unprivileged_port_start"] == "0"
    assert config.linux.cgroup_parent == "/kw/kubepods/besteffort/poduid-1"
    on_node = sandbox_config(
        pod_of("hostNetwork: true\n" + "containers: [{name: app, ports: [{hostPort: 1}]}]"), 0, LOGS, NODE
    )
    assert (on_node.hostname, len(on_node.port_mappings)) == ("", 0)
