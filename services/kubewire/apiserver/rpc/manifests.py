"""ObjectService.Apply: manifests of any kind, in YAML or JSON, applied one after the other with a result each."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from kubewire.apiserver.contracts import Call, Patch, PatchType
from kubewire.apiserver.rpc import forms
from kubewire.apiserver.rpc import request as requests
from kubewire.machinery import errors
from kubewire.machinery.errors import Reason, StatusError
from kubewire.machinery.wire import field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubewire.apiserver.contracts import Objects
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.rpc.context import RpcContext
    from kubewire.machinery.resources import Resource, ResourceTable
    from kubewire.rpc.v1.raw_pb2 import RawRequest

_RESULTS: Final = 1
_STATUS: Final = 2
_MANIFEST_BYTES: Final = 3 << 20
_ON_LOOP_BYTES: Final = 16 << 10
"""Longer texts are parsed in a thread: YAML takes about a millisecond for each 10 kB."""


class Manifest(NamedTuple):
    """One document: its text, and what it says it is."""

    text: bytes
    api_version: str
    kind: str
    namespace: str
    name: str


async def apply_manifests(
    objects: Objects, resources: ResourceTable, context: RpcContext, request: RawRequest
) -> bytes:
    """`ApplyResponse`: a result for each document, in order; a failure of one does not keep the next from being tried.

    Raises:
        StatusError: 400 for text that is no manifest, 413 for too much of it, 422 for options that are wrong.
    """
    options = requests.patch_options(requests.joined(request.options), PatchType.APPLY_YAML)
    data = request.objects[-1] if request.objects else b""
    if len(data) > _MANIFEST_BYTES:
        raise errors.request_entity_too_large(f"manifest: at most {_MANIFEST_BYTES} bytes, got {len(data)}")
    manifests = await (asyncio.to_thread(_parse, data) if len(data) > _ON_LOOP_BYTES else _parsed(data))
    requests.check_batch(len(manifests))
    applying = _Applying(objects, resources, context, request, options)
    return b"".join([field(_RESULTS, await applying.apply(manifest)) for manifest in manifests])


class _Applying:
    """Applies the documents of one request."""

    def __init__(
        self,
        objects: Objects,
        resources: ResourceTable,
        context: RpcContext,
        request: RawRequest,
        options: WriteOptions,
    ) -> None:
        self._objects = objects
        self._resources = resources
        self._context = context
        self._request = request
        self._options = options

    async def apply(self, manifest: Manifest) -> bytes:
        """`ObjectResult` of one document."""
        try:
            resource = self._resource(manifest)
            patch = Patch(PatchType.APPLY_YAML, manifest.text)
            written = await self._objects.patch(self._call(resource, manifest), patch, self._options)
        except StatusError as error:
            return field(_STATUS, error.to_proto().SerializeToString())
        view = self._request.view
        return forms.result(forms.generic(resource, "", view), view, written.item.raw)

    def _resource(self, manifest: Manifest) -> Resource:
        group, _, version = manifest.api_version.rpartition("/")
        found = self._resources.by_kind(group, version, manifest.kind)
        if found is None or not found.served:
            what = f"kind {manifest.kind!r} in {manifest.api_version!r}"
            raise StatusError(404, Reason.NOT_FOUND, f"the server could not find the requested resource: no {what}")
        return found

    def _call(self, resource: Resource, manifest: Manifest) -> Call:
        namespace = (manifest.namespace or self._request.namespace) if resource.namespaced else ""
        if resource.namespaced and not namespace:
            raise errors.bad_request(
                f"namespace: {resource.group_resource} need one, in the request or in the manifest"
            )
        return Call(
            self._context.identity,
            resource,
            namespace,
            manifest.name,
            user_agent=self._context.user_agent,
            cause=self._context.cause,
            received_seconds=time.time(),
            warnings=self._context.warnings,
        )


async def _parsed(data: bytes) -> list[Manifest]:
    return _parse(data)


def _parse(data: bytes) -> list[Manifest]:
    """The documents of a text.

    Raises:
        StatusError: 400, naming the document that is none.
    """
    found = []
    for number, text in enumerate(_documents(data), start=1):
        try:
            document = yaml.load(text, yaml.CSafeLoader)
        except yaml.YAMLError as error:
            raise errors.bad_request(f"manifest: document {number} cannot be read: {error}") from None
        if document is not None:
            found.append(_manifest(number, text, document))
    if not found:
        raise errors.bad_request("manifest: want at least one document, in YAML or JSON")
    return found


def _documents(data: bytes) -> Iterator[bytes]:
    """The texts between lines that begin with `---`."""
    pending: list[bytes] = []
    for line in data.splitlines(keepends=True):
        if line.startswith(b"---") and line[3:4] in (b"", b" ", b"\t", b"\r", b"\n"):
            yield b"".join(pending)
            # What follows the mark on its line belongs to the document.
            pending = [line[3:]]
        else:
            pending.append(line)
    yield b"".join(pending)


def _manifest(number: int, text: bytes, document: object) -> Manifest:
    where = f"manifest: document {number}"
    if not isinstance(document, dict):
        raise errors.bad_request(f"{where}: want an object with apiVersion, kind and metadata")
    metadata = document.get("metadata")
    values = {
        "apiVersion": document.get("apiVersion"),
        "kind": document.get("kind"),
        "metadata.name": metadata.get("name") if isinstance(metadata, dict) else None,
    }
    for path, value in values.items():
        if not isinstance(value, str) or not value:
            raise errors.bad_request(f"{where}: {path}: want a text, got {value!r}")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    if namespace is not None and not isinstance(namespace, str):
        raise errors.bad_request(f"{where}: metadata.namespace: want a text, got {namespace!r}")
    return Manifest(text, *map(str, (values["apiVersion"], values["kind"], namespace or "", values["metadata.name"])))
