"""Manifests in other forms."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from google.protobuf import json_format

from kubewire.api.apps.v1.replica_set_pb2 import ReplicaSet
from kubewire.cli.convert import Unconvertible, convert
from kubewire.machinery.codec.envelope import unwrap
from kubewire.rpc.apps.v1.replica_set_service_pb2 import CreateReplicaSetRequest

EXAMPLE = (Path(__file__).parents[3] / "examples" / "replicaset.yaml").read_bytes()


def test_grpc_is_the_form_of_protobuf() -> None:
    """What comes out is read by protobuf's own JSON parser, and means the same object."""
    made = json_format.Parse(convert(EXAMPLE, "grpc"), ReplicaSet())
    [container] = made.spec.template.spec.containers
    assert (made.spec.replicas, container.resources.limits["cpu"].string) == (3, "200m")
    assert container.readinessProbe.handler.httpGet.port.strVal == "http"


def test_create_request_is_whole() -> None:
    """`grpc-create` is the Create method's request: namespace and object."""
    made = json_format.Parse(convert(EXAMPLE, "grpc-create"), CreateReplicaSetRequest())
    assert (made.namespace, made.replica_set.metadata.name) == ("default", "web")


def test_forms_name_the_same_object() -> None:
    """JSON, YAML and the binary form can each be converted back into what they came from."""
    text = convert(EXAMPLE, "json")
    assert json.loads(text)["kind"] == "ReplicaSet"
    assert convert(convert(text, "yaml"), "json") == text
    api_version, kind, raw = unwrap(convert(EXAMPLE, "protobuf"))
    assert (api_version, kind) == ("apps/v1", "ReplicaSet")
    assert ReplicaSet.FromString(raw).spec.replicas == 3


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        (b"", "no document"),
        (b"a: [", "yaml"),
        (b"kind: Pod", "document 1: apiVersion and kind must be set"),
        (b"apiVersion: v1\nkind: Pot", "document 1: no kind Pot in v1"),
        (b"apiVersion: a/b/c\nkind: Pod", "document 1"),
        (b"apiVersion: v1\nkind: Pod\nspec: {replicas: 1}", 'unknown field "spec.replicas"'),
        (b"apiVersion: v1\nkind: Pod\nspec: {containers: 1}", "document 1 [(]Pod[)]"),
    ],
)
def test_what_is_no_object_is_named(manifest: bytes, problem: str) -> None:
    """The document and what is wrong with it are told."""
    with pytest.raises(Unconvertible, match=problem):
        convert(manifest, "grpc")


def test_binary_form_holds_one_object() -> None:
    """Two documents do not fit into one envelope."""
    with pytest.raises(Unconvertible, match="the manifest has 2"):
        convert(EXAMPLE + b"---\n" + EXAMPLE, "protobuf")
