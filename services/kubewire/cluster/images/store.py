"""Putting images into a node's containerd, through its own API on the socket.

Under a lease, because content that no image names yet is garbage, and containerd collects it. The CRI service learns
of a new image by an event, so an import is done when it answers for the name.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import grpc
import grpc.aio

from kubewire.cluster.errors import StartFailed
from kubewire.cluster.images.image import Blob, Image
from kubewire.containerd import (
    content_pb2,
    content_pb2_grpc,
    images_pb2,
    images_pb2_grpc,
    leases_pb2,
    leases_pb2_grpc,
)
from kubewire.cri.v1 import api_pb2, api_pb2_grpc

_NAMESPACE = ("containerd-namespace", "k8s.io")  # the one that the CRI service keeps everything in
_CHUNK_BYTES = 1 << 20
_SECONDS = 30.0
_POLL_SECONDS = 0.005


async def import_images(endpoint: str, images: Iterable[Image]) -> list[str]:
    """Put images into the containerd at `endpoint` (`unix:///...`); the names of those that were not there yet.

    What is there under the same name with the same digest is left alone; with another digest it is replaced.

    Raises:
        StartFailed: containerd refused, or did not answer in time.
    """
    try:
        async with grpc.aio.insecure_channel(endpoint) as channel, asyncio.timeout(_SECONDS):
            missing = [image for image in images if not await _is_present(channel, image)]
            if missing:
                await _add(channel, missing)
            return [image.name for image in missing]
    except (grpc.aio.AioRpcError, TimeoutError) as error:
        detail = error.details() if isinstance(error, grpc.aio.AioRpcError) else f"no answer within {_SECONDS:g} s"
        raise StartFailed(f"images cannot be put into containerd at {endpoint}: {detail}") from error


async def _is_present(channel: grpc.aio.Channel, image: Image) -> bool:
    return await _digest(channel, image.name) == image.manifest.digest


async def _digest(channel: grpc.aio.Channel, name: str) -> str | None:
    """The digest that a name stands for in containerd."""
    request = images_pb2.GetImageRequest(name=name)
    try:
        answer = await images_pb2_grpc.ImagesStub(channel).Get(request, metadata=(_NAMESPACE,), timeout=_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return None
        raise
    return answer.image.target.digest


async def _add(channel: grpc.aio.Channel, images: list[Image]) -> None:
    async with _lease(channel) as metadata:
        for blob in {blob.digest: blob for image in images for blob in image.blobs}.values():
            await _write(channel, blob, metadata)
        for image in images:
            await _name(channel, image, metadata)
    for image in images:
        await _await_cri(channel, image)


@asynccontextmanager
async def _lease(channel: grpc.aio.Channel) -> AsyncIterator[tuple[tuple[str, str], ...]]:
    """Metadata that keeps from collection what is written with it. It ends by itself should we not come to end it."""
    leases = leases_pb2_grpc.LeasesStub(channel)
    name = f"kubewire-{uuid.uuid4().hex}"
    expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    request = leases_pb2.CreateRequest(id=name, labels={"containerd.io/gc.expire": expiry})
    await leases.Create(request, metadata=(_NAMESPACE,), timeout=_SECONDS)
    try:
        yield (_NAMESPACE, ("containerd-lease", name))
    finally:
        await leases.Delete(leases_pb2.DeleteRequest(id=name), metadata=(_NAMESPACE,), timeout=_SECONDS)


async def _write(channel: grpc.aio.Channel, blob: Blob, metadata: tuple[tuple[str, str], ...]) -> None:
    """Write one blob, unless it is there: containerd refuses it then in the middle of what we send."""
    if await _has(channel, blob):
        return
    call = content_pb2_grpc.ContentStub(channel).Write(_pieces(blob), metadata=metadata, timeout=_SECONDS)
    try:
        async for _ in call:
            pass
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.ALREADY_EXISTS:
            raise


async def _has(channel: grpc.aio.Channel, blob: Blob) -> bool:
    request = content_pb2.InfoRequest(digest=blob.digest)
    try:
        await content_pb2_grpc.ContentStub(channel).Info(request, metadata=(_NAMESPACE,), timeout=_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return False
        raise
    return True


async def _pieces(blob: Blob) -> AsyncIterator[content_pb2.WriteContentRequest]:
    """A blob in messages below containerd's limit; the last one commits."""
    total = len(blob.content)
    last = (max(total, 1) - 1) // _CHUNK_BYTES * _CHUNK_BYTES
    labels = {f"containerd.io/gc.ref.content.{number}": digest for number, digest in enumerate(blob.references)}
    for offset in range(0, last + 1, _CHUNK_BYTES):
        is_last = offset == last
        yield content_pb2.WriteContentRequest(
            action=content_pb2.COMMIT if is_last else content_pb2.WRITE,
            ref=f"kubewire-{blob.digest}",
            total=total,
            expected=blob.digest,
            offset=offset,
            data=blob.content[offset : offset + _CHUNK_BYTES],
            labels=labels if is_last else None,
        )


async def _name(channel: grpc.aio.Channel, image: Image, metadata: tuple[tuple[str, str], ...]) -> None:
    """Let the image's name stand for its manifest."""
    stub = images_pb2_grpc.ImagesStub(channel)
    entry = images_pb2.Image(name=image.name)
    manifest = image.manifest
    entry.target.media_type, entry.target.digest, entry.target.size = (
        manifest.media_type,
        manifest.digest,
        len(manifest.content),
    )
    try:
        await stub.Create(images_pb2.CreateImageRequest(image=entry), metadata=metadata, timeout=_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() != grpc.StatusCode.ALREADY_EXISTS:
            raise
        await stub.Update(images_pb2.UpdateImageRequest(image=entry), metadata=metadata, timeout=_SECONDS)


async def _await_cri(channel: grpc.aio.Channel, image: Image) -> None:
    """Wait until the CRI service knows the image by its name."""
    config = image.blobs[-2].digest
    request = api_pb2.ImageStatusRequest(image=api_pb2.ImageSpec(image=image.name))
    stub = api_pb2_grpc.ImageServiceStub(channel)
    while True:
        try:
            answer = await stub.ImageStatus(request, timeout=_SECONDS)
        except grpc.aio.AioRpcError as error:
            if "not initialized" not in (error.details() or ""):
                raise
        else:
            if answer.image.id == config:
                return
        await asyncio.sleep(_POLL_SECONDS)
