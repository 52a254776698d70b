"""Names of a cluster's things on the machine."""

from hypothesis import given
from hypothesis import strategies as st

from kubewire.cluster.nodes import names

labels = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?", fullmatch=True)
nodes = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,60}[a-z0-9])?", fullmatch=True)


@given(labels, nodes, labels, nodes)
def test_nodes_never_share_a_namespace(cluster: str, node: str, other: str, neighbour: str) -> None:
    """Two nodes have the same namespace only if cluster and node are the same."""
    same = names.node_namespace(cluster, node) == names.node_namespace(other, neighbour)
    assert same == ((cluster, node) == (other, neighbour))


@given(labels, nodes, labels)
def test_namespaces_tell_their_cluster(cluster: str, node: str, other: str) -> None:
    """A namespace belongs to one cluster, even where a cluster's name begins another's."""
    for namespace in (names.node_namespace(cluster, node), names.fabric_namespace(cluster)):
        assert names.is_namespace_of(cluster, namespace)
        assert names.is_namespace_of(other, namespace) == (other == cluster)


@given(labels)
def test_interfaces_have_short_names(cluster: str) -> None:
    """The host's link has a name that the kernel takes, and shows the cluster's name as far as it fits."""
    name = names.host_interface(cluster)
    assert len(name) <= 15
    assert name.startswith(f"kw-{cluster[:5]}")


def test_long_names_stay_apart() -> None:
    """Clusters whose names begin alike have different links."""
    assert names.host_interface("development-one") != names.host_interface("development-two")
