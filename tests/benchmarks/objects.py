"""Objects that the benchmarks write."""

from __future__ import annotations

import json
import time

NOBODY = "nobody"
"""The scheduler of pods that are to be left alone: there are no nodes, and saying so would cost two writes for each."""

SENT = "bench/sent"
"""Annotation with the time at which a pod was sent, in nanoseconds of the wall clock."""


def pod_json(name: str) -> bytes:
    """A small pod as people write it: one container with requests and limits, labels and an environment."""
    return json.dumps(pod(name)).encode()


def pod(name: str) -> dict[str, object]:
    """The same as a dict."""
    metadata = {
        "name": name,
        "namespace": "default",
        "labels": {"app": "web", "tier": "front"},
        "annotations": {SENT: str(time.time_ns())},
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "schedulerName": NOBODY,
            "containers": [
                {
                    "name": "web",
                    "image": "registry.example/web:1.2",
                    "ports": [{"containerPort": 8080, "name": "http"}],
                    "env": [{"name": "MODE", "value": "production"}],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "128Mi"},
                        "limits": {"cpu": "500m", "memory": "256Mi"},
                    },
                }
            ],
        },
    }


def config_map_json(name: str) -> bytes:
    """A ConfigMap of about 1 kB."""
    data = {f"key-{number}": "v" * 90 for number in range(10)}
    content = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": "default"},
        "data": data,
    }
    return json.dumps(content).encode()
