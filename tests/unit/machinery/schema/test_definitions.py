"""Definitions hold what merging and OpenAPI need to know about each type."""

import pytest

from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.schema import definitions
from kubewire.machinery.schema.definitions import Node, UnknownDefinitionError

CORE = "io.k8s.api.core.v1."


def test_a_kind_and_its_fields() -> None:
    """A kind's definition names its group, version and kind, and the types of its fields."""
    pod = definitions.lookup(CORE + "Pod")
    assert pod.kinds == (GroupVersionKind("", "v1", "Pod"),)
    assert pod.fields["spec"].ref == CORE + "PodSpec"
    assert definitions.lookup(CORE + "PodSpec").required == ("containers",)


def test_list_facts() -> None:
    """A list tells how it merges: by which keys, or as a whole."""
    container = definitions.lookup(CORE + "Container").fields
    assert container["ports"].list_type == "map"
    assert container["ports"].list_map_keys == ("containerPort", "protocol")
    assert (container["ports"].patch_strategies, container["ports"].patch_merge_key) == (("merge",), "containerPort")
    assert container["args"] == Node(type="array", list_type="atomic", items=Node(type="string"))
    volumes = definitions.lookup(CORE + "PodSpec").fields["volumes"]
    assert volumes.patch_strategies == ("merge", "retainKeys")


def test_map_types() -> None:
    """A field may override whether the type it refers to is atomic."""
    assert definitions.lookup(CORE + "ObjectReference").map_type == "atomic"
    assert definitions.lookup(CORE + "PersistentVolumeSpec").fields["claimRef"].map_type == "granular"


def test_defaults_and_enums() -> None:
    """Defaults and enumerated values are kept, and an absent default differs from a null one."""
    port = definitions.lookup(CORE + "ContainerPort").fields
    assert (port["protocol"].default, port["protocol"].enum) == ("TCP", ("SCTP", "TCP", "UDP"))
    assert port["protocol"].has_default
    assert not port["hostIP"].has_default


def test_types_with_a_json_form_of_their_own() -> None:
    """Quantities and times tell the JSON types they take."""
    assert definitions.lookup("io.k8s.apimachinery.pkg.api.resource.Quantity").one_of == ("string", "number")
    assert definitions.lookup("io.k8s.apimachinery.pkg.apis.meta.v1.Time").format == "date-time"


def test_unknown_definition() -> None:
    """Asking for a type that does not exist says so."""
    assert not definitions.has("io.k8s.api.core.v1.Nothing")
    with pytest.raises(UnknownDefinitionError, match=r"no definition io\.k8s\.api\.core\.v1\.Nothing"):
        definitions.lookup("io.k8s.api.core.v1.Nothing")


@pytest.mark.parametrize(
    ("message", "definition"),
    [
        ("k8s.io.api.core.v1.Pod", "io.k8s.api.core.v1.Pod"),
        ("k8s.io.apimachinery.pkg.apis.meta.v1.Status", "io.k8s.apimachinery.pkg.apis.meta.v1.Status"),
        (
            "k8s.io.kube_aggregator.pkg.apis.apiregistration.v1.APIService",
            "io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService",
        ),
    ],
)
def test_name_of_message(message: str, definition: str) -> None:
    """Every message has the definition of the same name in OpenAPI's order of words."""
    assert definitions.name_of_message(message) == definition
    assert definitions.has(definition)


def test_every_definition_is_readable_and_closed() -> None:
    """All definitions decode, and every reference leads to one."""

    def references(node: Node) -> set[str]:
        below = [references(inner) for inner in (node.items, node.values) if inner is not None]
        return {node.ref}.union(*below) - {""}

    for name in definitions.names():
        for field in definitions.lookup(name).fields.values():
            assert all(definitions.has(ref) for ref in references(field)), name
