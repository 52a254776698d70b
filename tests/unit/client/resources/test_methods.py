"""Method paths are those of the generated services."""

from importlib import import_module

from google.protobuf.descriptor import ServiceDescriptor

from kubewire.client.resources.methods import Verb, generic_path, typed_path
from kubewire.machinery import service_names
from kubewire.machinery.resources import Resource, builtin
from kubewire.rpc.index import SERVICES
from kubewire.rpc.v1 import object_service_pb2


def descriptor(resource: Resource) -> ServiceDescriptor:
    """The generated service of a kind."""
    name = service_names.service(resource)
    found: ServiceDescriptor = import_module(SERVICES[name]).DESCRIPTOR.services_by_name[name.rpartition(".")[2]]
    return found


def test_every_generated_method_is_reached() -> None:
    """Each method of each service is the path of one verb on one resource or subresource."""
    for resource in builtin().all:
        reached = {
            typed_path(resource, verb, subresource).rpartition("/")[2]
            for verb in Verb
            for subresource in ("", *resource.subresources)
        }
        declared = {method.name for method in descriptor(resource).methods}
        assert declared <= reached, resource


def test_verbs_of_a_resource_are_declared() -> None:
    """What the resource table says a kind can do has a method."""
    verbs = {"get": Verb.GET, "list": Verb.LIST, "watch": Verb.WATCH, "create": Verb.CREATE, "update": Verb.UPDATE}
    for resource in builtin().all:
        declared = {method.name for method in descriptor(resource).methods}
        for verb in set(resource.verbs) & set(verbs):
            assert typed_path(resource, verbs[verb]).rpartition("/")[2] in declared


def test_verbs_of_the_object_service_are_declared() -> None:
    """Each verb is a method of ObjectService."""
    service = object_service_pb2.DESCRIPTOR.services_by_name["ObjectService"]
    assert {generic_path(verb).rpartition("/")[2] for verb in Verb} <= {method.name for method in service.methods}
