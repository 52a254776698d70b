"""The table of methods against the generated services."""

from importlib import import_module

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from kubewire.apiserver.rpc.methods import Method, MethodTable, Verb
from kubewire.apiserver.rpc.streaming import METHODS
from kubewire.machinery import resources
from kubewire.rpc.index import SERVICES

STATUS = "k8s.io.apimachinery.pkg.apis.meta.v1.Status"


def described(name: str) -> ServiceDescriptor:
    """The generated descriptor of a service."""
    module = import_module(SERVICES[name])
    service: ServiceDescriptor = module.DESCRIPTOR.services_by_name[name.rpartition(".")[2]]
    return service


def objects_of(service: ServiceDescriptor) -> list[MethodDescriptor]:
    """Its methods, without those that carry streams of bytes."""
    return [method for method in service.methods if method.name not in METHODS]


def answer_of(method: Method) -> str | None:
    """Full message name of an unary typed method's answer, None where the answer is a message of its own."""
    if method.resource is None or method.verb in (Verb.WATCH, Verb.CREATE_BATCH, Verb.DELETE_BATCH):
        return None
    if method.answers_status:
        return STATUS
    if method.verb is Verb.LIST:
        return method.resource.list_message
    if method.subresource:
        return method.resource.subresources[method.subresource].message
    return method.resource.message


def test_every_generated_method_is_in_the_table() -> None:
    """Each method of each generated service is found under its path, with its answer and streaming."""
    table = MethodTable(resources.builtin().all)
    for service in map(described, SERVICES):
        found = objects_of(service)
        assert found
        for descriptor in found:
            method = table.find(f"/{service.full_name}/{descriptor.name}")
            assert method is not None, descriptor.full_name
            assert method.is_stream == descriptor.server_streaming, descriptor.full_name
            answer = answer_of(method)
            assert answer in (None, descriptor.output_type.full_name), descriptor.full_name


def test_the_table_has_no_method_that_is_not_generated() -> None:
    """Nothing is served that a client could not find in a descriptor."""
    table = MethodTable(resources.builtin().all)
    assert set(table.services) == set(SERVICES)
    for name in table.services:
        generated = {f"/{name}/{method.name}" for method in objects_of(described(name))}
        assert {method.path for method in table._methods(name)} == generated


def test_streams_are_methods_of_pods_alone() -> None:
    """What the table leaves out is four methods of one service."""
    left_out = [method.full_name for name in SERVICES for method in described(name).methods if method.name in METHODS]
    assert sorted(left_out) == sorted(f"kubewire.rpc.core.v1.PodService.{name}" for name in METHODS)


def test_unknown_paths_are_not_found() -> None:
    """Neither a service nor a method nor nonsense that does not exist is found."""
    table = MethodTable(resources.builtin().served())
    for path in ("", "/", "x", "/kubewire.rpc.core.v1.PodService/", "/kubewire.rpc.core.v1.PodService/Nothing", "/x/y"):
        assert table.find(path) is None
    assert table.find("/kubewire.rpc.resource.v1alpha3.DeviceTaintRuleService/GetDeviceTaintRule") is None


def test_methods_know_their_subresource() -> None:
    """A path names verb, resource and subresource together."""
    table = MethodTable(resources.builtin().served())
    method = table.find("/kubewire.rpc.core.v1.PodService/BindPods")
    assert method is not None
    assert method.resource is not None
    assert (method.verb, method.resource.plural, method.subresource) == (Verb.CREATE_BATCH, "pods", "binding")
