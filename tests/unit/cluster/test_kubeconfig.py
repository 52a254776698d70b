"""The kubeconfig of a local cluster."""

from __future__ import annotations

import base64

import yaml

from kubewire.cluster.kubeconfig import render


def test_kubeconfig_is_complete() -> None:
    """Server, CA and token stand in one context, which is current."""
    config = yaml.safe_load(render(cluster="dev", server="https://127.0.0.1:6443", ca=b"PEM", token="secret"))
    [cluster], [user], [context] = config["clusters"], config["users"], config["contexts"]
    assert config["current-context"] == context["name"]
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    assert cluster["cluster"]["server"] == "https://127.0.0.1:6443"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == b"PEM"
    assert user["user"] == {"token": "secret"}
