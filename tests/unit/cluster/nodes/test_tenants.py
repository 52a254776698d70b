"""Which processes live on a node."""

from kubewire.cluster.nodes.tenants import Premises, Tenant, select

HERE = Premises("net:[7]", "/home/dev/nodes/one", "/kubewire/dev/one")


def process(pid: int, parent: int = 1, *, namespace: str = "net:[1]", cgroup: str = "/", dead: bool = False) -> Tenant:
    """A process that has nothing to do with nodes, but for what is said."""
    return Tenant(pid, parent, dead, namespace, "/", (cgroup,), "sh")


def located(pid: int, name: str, folder: str) -> Tenant:
    """A process in a folder."""
    return Tenant(pid, 1, False, "net:[1]", folder, ("/",), name)


def found(*everyone: Tenant, spared: int = 99) -> list[int]:
    """Which of them live on the node."""
    return [tenant.pid for tenant in select(everyone, [HERE], spared)]


def test_by_any_sign() -> None:
    """A process is a node's by its network namespace or its cgroup; names that begin alike do not count."""
    assert found(
        process(10, namespace="net:[7]"),
        process(12, cgroup="/kubewire/dev/one/pod1/c"),
        process(14, cgroup="/kubewire/dev/one-more"),
    ) == [10, 12]


def test_shims_by_folder() -> None:
    """A shim is a node's by its folder, which is its container's; a shell in the same folder is somebody's."""
    assert found(
        located(10, "containerd-shim", "/home/dev/nodes/one/containerd/state/x"),
        located(11, "bash", "/home/dev/nodes/one/containerd/state/x"),
        located(12, "containerd-shim", "/home/dev/nodes/one2/containerd/state/x"),
    ) == [10]


def test_descendants_too() -> None:
    """What a shim has started is the node's, though it shares nothing with it but descent."""
    assert found(process(10, namespace="net:[7]"), process(20, 10), process(21, 20), process(30)) == [10, 20, 21]


def test_the_dead_do_not_count() -> None:
    """A process that has ended and waits to be collected is gone, though not what it left behind."""
    assert found(process(10, namespace="net:[7]", dead=True), process(20, 10)) == [20]


def test_we_are_spared() -> None:
    """Whoever asks is not the node's, nor is the shell in the node that it was started from."""
    shell = process(10, namespace="net:[7]")
    assert found(shell, process(20, 10, namespace="net:[7]"), process(21, 10), spared=20) == []


def test_without_a_namespace() -> None:
    """Where the namespace is gone, processes without one are not taken for its."""
    nowhere = Premises("", "/home/dev/nodes/one", "/kubewire/dev/one")
    assert select([process(10, namespace="")], [nowhere], 99) == []
