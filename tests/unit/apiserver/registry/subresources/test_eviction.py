"""Evicting pods within what their disruption budgets allow."""

from typing import Any

import pytest

from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.registry.cluster import PLAIN, Cluster, Json, body

POD: Json = {
    "metadata": {"name": "p", "labels": {"app": "x"}},
    "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
}
BUDGET = "poddisruptionbudgets.policy"


async def running_pod(cluster: Cluster, *, ready: bool = True) -> None:
    """Pod p, running."""
    await cluster.create("pods", "default/", POD)
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    await cluster.patch("pods/status", "default/p", {"status": {"phase": "Running", "conditions": conditions}})


async def budget(cluster: Cluster, allowed: int, name: str = "b", **status: int) -> None:
    """A budget of pod p that allows so many disruptions."""
    spec = {"selector": {"matchLabels": {"app": "x"}}, "minAvailable": 1}
    await cluster.create(BUDGET, "default/", {"metadata": {"name": name}, "spec": spec})
    state = {"disruptionsAllowed": allowed, "observedGeneration": 1, "expectedPods": 1, **status}
    await cluster.patch(f"{BUDGET}/status", f"default/{name}", {"status": state})


async def evict(cluster: Cluster, eviction: Any = None) -> None:  # noqa: ANN401 - JSON
    """Evict pod p."""
    sent = body(eviction or {"metadata": {"name": "p"}})
    await cluster.objects.create(cluster.call("pods/eviction", "default/p"), sent, PLAIN)


async def test_a_pod_without_budget_is_deleted(cluster: Cluster) -> None:
    """As by a delete: it gets its grace period."""
    await running_pod(cluster)
    await evict(cluster)
    assert (await cluster.get("pods", "default/p"))["metadata"]["deletionGracePeriodSeconds"] == 30


async def test_an_eviction_takes_one_disruption_from_the_budget(cluster: Cluster) -> None:
    """The budget remembers the pod until its controller has seen it go."""
    await running_pod(cluster)
    await budget(cluster, allowed=1)
    await evict(cluster, {"deleteOptions": {"gracePeriodSeconds": 0}})
    assert not await cluster.exists("pods", "default/p")
    status = (await cluster.get(BUDGET, "default/b"))["status"]
    assert status["disruptionsAllowed"] == 0
    assert status["disruptedPods"] == {"p": "2027-01-15T08:00:00Z"}


async def test_a_spent_budget_keeps_the_pod(cluster: Cluster) -> None:
    """429 with the budget as its cause."""
    await running_pod(cluster)
    await budget(cluster, allowed=0, desiredHealthy=1, currentHealthy=1)
    with pytest.raises(StatusError) as raised:
        await evict(cluster)
    error = raised.value
    assert (error.code, error.reason) == (429, "TooManyRequests")
    assert str(error) == "Cannot evict pod as it would violate the pod's disruption budget."
    assert error.details is not None
    assert [tuple(cause) for cause in error.details.causes] == [
        ("DisruptionBudget", "The disruption budget b needs 1 healthy pods and has 1 currently", "")
    ]


async def test_a_budget_that_was_just_changed_is_waited_for(cluster: Cluster) -> None:
    """429 with a time to come back."""
    await running_pod(cluster)
    await budget(cluster, allowed=1)
    await cluster.patch(BUDGET, "default/b", {"spec": {"minAvailable": 2}})
    with pytest.raises(StatusError) as raised:
        await evict(cluster)
    assert (raised.value.code, raised.value.retry_after_seconds) == (429, 10)


async def test_pods_that_do_not_serve_cost_nothing(cluster: Cluster) -> None:
    """Pending pods go, and unready ones while enough others are healthy."""
    await cluster.create("pods", "default/", POD)
    await budget(cluster, allowed=0)
    await evict(cluster, {"deleteOptions": {"gracePeriodSeconds": 0}})
    await running_pod(cluster, ready=False)
    await cluster.patch(f"{BUDGET}/status", "default/b", {"status": {"currentHealthy": 2, "desiredHealthy": 2}})
    await evict(cluster, {"deleteOptions": {"gracePeriodSeconds": 0}})
    assert not await cluster.exists("pods", "default/p")


async def test_a_pod_with_several_budgets_is_not_evicted(cluster: Cluster) -> None:
    """500, as Kubernetes answers."""
    await running_pod(cluster)
    await budget(cluster, allowed=1)
    await budget(cluster, allowed=1, name="c")
    with pytest.raises(StatusError, match="more than one PodDisruptionBudget") as raised:
        await evict(cluster)
    assert raised.value.code == 500
