"""Which methods a kind's service has, with their requests and responses.

Field numbers mean the same in every request (see `protos/kubewire/rpc/v1/options.proto`), so one implementation
serves all kinds without decoding the objects: 1 namespace, 2 name(s), 3 object(s), 4 options, 5 patch type,
6 patch, 7 selection, 8 view, 9 batch window. Methods that carry streams of bytes have their input from 20 on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kubewire.machinery.resources import Resource, Subresource
from tools.protogen.names import META, plural, snake

# Subresources reached by a method of their own shape, or by no gRPC method at all (proxying is HTTP's business).
_STREAMED = {"log", "exec", "attach", "portforward"}
_SPECIAL = {"binding", "eviction", "proxy", "token", "scale", "finalize", *_STREAMED}


@dataclass(frozen=True, slots=True)
class Method:
    """One rpc. `request` lists its fields as proto lines; `response` is a full type; extras are own messages."""

    name: str
    request: tuple[str, ...]
    response: str
    response_fields: tuple[str, ...] = ()
    streams_request: bool = False
    streams_response: bool = False


class Fields:
    """Request fields of one resource."""

    def __init__(self, resource: Resource) -> None:
        self.namespace = ("string namespace = 1;",) if resource.namespaced else ()
        self.name = ("string name = 2;",)
        self.names = ("repeated string names = 2;",)
        self.patch = ("kubewire.rpc.v1.PatchType patch_type = 5;", "bytes patch = 6;")
        self.view = ("kubewire.rpc.v1.ObjectView view = 8;",)
        self.selection = (f"{META}.ListOptions selection = 7;",)
        self.window = ("optional int32 batch_window_milliseconds = 9;",)
        self.object = self.of(resource.message, resource.kind)
        self.objects = (f"repeated {resource.message} {snake(plural(resource))} = 3;",)

    def of(self, message: str, kind: str) -> tuple[str, ...]:
        """An object of any kind, as field 3."""
        return (f"{message} {snake(kind)} = 3;",)

    @staticmethod
    def options(kind: str) -> tuple[str, ...]:
        """The verb's options, as field 4."""
        return (f"{META}.{kind}Options options = 4;",)


def methods(resource: Resource) -> Iterator[Method]:
    """Every method of a kind's service, in reading order."""
    kind, many, field = resource.kind, plural(resource), Fields(resource)
    verbs, own = set(resource.verbs), resource.message
    result = f"repeated {kind}Result results = 1;"
    if "get" in verbs:
        yield Method(f"Get{kind}", field.namespace + field.name + field.options("Get"), own)
    if "list" in verbs:
        yield Method(f"List{many}", field.namespace + field.options("List"), resource.list_message)
    if "watch" in verbs:
        request = field.namespace + field.options("List") + field.window
        yield Method(
            f"Watch{many}",
            request,
            f"Watch{many}Response",
            (f"repeated {kind}Event events = 1;",),
            streams_response=True,
        )
    if "create" in verbs:
        yield Method(f"Create{kind}", field.namespace + field.object + field.options("Create"), own)
    if {"create", "get"} <= verbs:
        request = field.namespace + field.objects + field.options("Create") + field.view
        yield Method(f"Create{many}", request, f"Create{many}Response", (result,))
    yield from _changes(resource, "", f"{kind}", verbs)
    for subresource in resource.subresources.values():
        yield from _subresource(resource, subresource, field)
    if "delete" in verbs:
        yield Method(f"Delete{kind}", field.namespace + field.name + field.options("Delete"), own)
        request = field.namespace + field.names + field.options("Delete") + field.selection + field.view
        yield Method(f"Delete{many}", request, f"Delete{many}Response", (result,))


def _changes(resource: Resource, suffix: str, kind: str, verbs: set[str]) -> Iterator[Method]:
    """Update, patch and apply of the object or of one of its subresources."""
    field = Fields(resource)
    if "update" in verbs:
        yield Method(
            f"Update{kind}{suffix}", field.namespace + field.object + field.options("Update"), resource.message
        )
    if "patch" in verbs:
        request = field.namespace + field.name + field.options("Patch") + field.patch
        yield Method(f"Patch{kind}{suffix}", request, resource.message)
        request = field.namespace + field.name + field.object + field.options("Patch")
        yield Method(f"Apply{kind}{suffix}", request, resource.message)


def _subresource(resource: Resource, subresource: Subresource, field: Fields) -> Iterator[Method]:
    """Methods of one subresource."""
    if subresource.name not in _SPECIAL:
        suffix = "EphemeralContainers" if subresource.name == "ephemeralcontainers" else subresource.name.capitalize()
        yield from _changes(resource, suffix, resource.kind, set(subresource.verbs))
        return
    kind, where = resource.kind, field.namespace + field.name
    exchanged = field.of(subresource.message, subresource.kind.kind)
    match subresource.name:
        case "scale":
            yield Method(f"Get{kind}Scale", where + field.options("Get"), subresource.message)
            yield Method(f"Update{kind}Scale", where + exchanged + field.options("Update"), subresource.message)
            yield Method(f"Patch{kind}Scale", where + field.options("Patch") + field.patch, subresource.message)
        case "finalize":
            yield Method(f"Finalize{kind}", field.namespace + field.object + field.options("Update"), resource.message)
        case "token":
            yield Method(f"Create{kind}Token", where + exchanged + field.options("Create"), subresource.message)
        case "binding":
            yield Method(f"Bind{kind}", where + exchanged + field.options("Create"), f"{META}.Status")
            request = (*field.namespace, f"repeated {subresource.message} bindings = 3;", *field.options("Create"))
            yield Method(f"Bind{kind}s", request, f"Bind{kind}sResponse", (f"repeated {META}.Status results = 1;",))
        case "eviction":
            yield Method(f"Evict{kind}", where + exchanged + field.options("Create"), f"{META}.Status")
        case "log" | "exec" | "attach" | "portforward":
            yield _streaming(resource, subresource.name, where)


_INPUT = ("bytes stdin = 20;", "bool stdin_end = 21;", "kubewire.rpc.v1.TerminalSize resize = 22;")
_FORWARDED = ("bytes data = 1;", "bool end = 2;")
_OUTPUT = ("bytes stdout = 1;", "bytes stderr = 2;", f"{META}.Status status = 3;")


def _streaming(resource: Resource, name: str, where: tuple[str, ...]) -> Method:
    """A subresource that carries bytes: the first message says what is wanted, the others carry input.

    Requests of exec and attach have the same fields, and so have their answers.
    """
    kind = resource.kind
    core = resource.message.rpartition(".")[0]
    method, options, fields, answer = {
        "log": (f"Stream{kind}Logs", "LogOptions", (), ("bytes data = 1;",)),
        "exec": (f"Exec{kind}", "ExecOptions", _INPUT, _OUTPUT),
        "attach": (f"Attach{kind}", "AttachOptions", _INPUT, _OUTPUT),
        "portforward": (f"PortForward{kind}", "PortForwardOptions", ("bytes data = 20;",), _FORWARDED),
    }[name]
    request = (*where, f"{core}.{kind}{options} options = 4;", *fields)
    return Method(method, request, f"{method}Response", answer, name != "log", streams_response=True)
