"""The class of service follows from requests and limits."""

import pytest

from kubewire.machinery.json_value import JsonObject
from tests.unit.apiserver.strategy.writes import at, created

FULL: JsonObject = {"limits": {"cpu": "1", "memory": "1Gi"}}


def containers(*resources: JsonObject) -> list[JsonObject]:
    """Containers with these resources."""
    return [{"name": f"c{i}", "image": "x", "resources": item} for i, item in enumerate(resources)]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"containers": [*containers({})]}, "BestEffort"),
        ({"containers": [*containers({"requests": {"cpu": "0"}})]}, "BestEffort"),
        ({"containers": [*containers({"requests": {"ephemeral-storage": "1Gi"}})]}, "BestEffort"),
        ({"containers": [*containers({"requests": {"cpu": "1"}})]}, "Burstable"),
        ({"containers": [*containers({"limits": {"cpu": "1"}})]}, "Burstable"),
        ({"containers": [*containers(FULL)]}, "Guaranteed"),
        ({"containers": [*containers({**FULL, "requests": {"cpu": "1000m", "memory": "1024Mi"}})]}, "Guaranteed"),
        ({"containers": [*containers({**FULL, "requests": {"cpu": "500m"}})]}, "Burstable"),
        ({"containers": [*containers(FULL, {})]}, "Burstable"),
        ({"containers": [*containers(FULL)], "initContainers": [*containers({})]}, "Burstable"),
        ({"containers": [*containers(FULL)], "initContainers": [*containers(FULL)]}, "Guaranteed"),
        ({"containers": [*containers({})], "resources": FULL}, "Guaranteed"),
        ({"containers": [*containers(FULL)], "resources": {"requests": {"cpu": "2"}}}, "Burstable"),
    ],
)
def test_class_of_service(spec: JsonObject, expected: str) -> None:
    """Guaranteed: all limits, requests equal to them; BestEffort: nothing at all; Burstable: anything between."""
    assert at(created("v1 Pod", {"spec": spec}), "status.qosClass") == expected
