"""The kubeconfig of a local cluster: where it is, whom to trust, and the admin's token."""

from __future__ import annotations

import base64
import json


def render(*, cluster: str, server: str, ca: bytes, token: str) -> bytes:
    """A kubeconfig with one cluster, one user and one context, all named `kubewire-<cluster>`.

    JSON is YAML, so no YAML library is needed on the way to a ready cluster.
    """
    name = f"kubewire-{cluster}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": server, "certificate-authority-data": base64.b64encode(ca).decode()},
            }
        ],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return json.dumps(config, indent=2).encode() + b"\n"
