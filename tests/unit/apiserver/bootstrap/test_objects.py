"""What every cluster begins with can be created, and is what Kubernetes begins with."""

from kubewire.apiserver.bootstrap.creator import create_missing
from kubewire.apiserver.bootstrap.objects import Endpoint, background, wanted
from kubewire.apiserver.bootstrap.rbac import rbac_objects
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.resources import builtin
from tests.unit.apiserver.registry.cluster import running

RANGE = "10.96.0.0/16"


async def test_everything_can_be_created_twice() -> None:
    """What is there is left as it is; the API's own Service has the first address of the range."""
    async with running() as cluster:
        for _ in range(2):
            await create_missing(cluster.objects, builtin(), wanted(RANGE, Endpoint("192.0.2.1", 6443)))
            await create_missing(cluster.objects, builtin(), background(RANGE))
        service = await cluster.get("services", "default/kubernetes")
        assert service["spec"]["clusterIPs"] == ["10.96.0.1"]
        assert await cluster.exists("ipaddresses.networking.k8s.io", "10.96.0.1")
        assert await cluster.exists("servicecidrs.networking.k8s.io", "kubernetes")
        assert await cluster.exists("clusterroles.rbac.authorization.k8s.io", "cluster-admin")
        critical = await cluster.get("priorityclasses.scheduling.k8s.io", "system-node-critical")
        assert critical["value"] == 2_000_001_000


def test_default_roles_are_complete() -> None:
    """As many of each kind as a stock server makes, and rules of every form; ours stand beside them by name."""
    everything = list(rbac_objects())
    roles = [one for one in everything if not one.metadata.name.startswith("kubewire:")]
    assert {one.DESCRIPTOR.name for one in everything if one not in roles} == {"ClusterRoleBinding"}
    counts = {
        kind: sum(one.DESCRIPTOR.name == kind for one in roles) for kind in {one.DESCRIPTOR.name for one in roles}
    }
    assert counts == {"ClusterRole": 70, "ClusterRoleBinding": 51, "Role": 7, "RoleBinding": 7}
    by_name = {(one.DESCRIPTOR.name, one.metadata.name): to_dict(one) for one in roles}
    assert by_name["ClusterRole", "cluster-admin"]["rules"] == [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ]
    label = "rbac.authorization.k8s.io/aggregate-to-view"
    assert by_name["ClusterRole", "view"]["aggregationRule"] == {
        "clusterRoleSelectors": [{"matchLabels": {label: "true"}}]
    }
    assert by_name["ClusterRoleBinding", "system:kube-dns"]["subjects"] == [
        {"kind": "ServiceAccount", "name": "kube-dns", "namespace": "kube-system"}
    ]
