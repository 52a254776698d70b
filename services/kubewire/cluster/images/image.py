"""A container image as the OCI image specification has it: layers, a configuration, and a manifest that names both."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from kubewire.cluster.images.layer import Entry, pack

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64le", "s390x": "s390x", "riscv64": "riscv64"}


@dataclass(frozen=True, slots=True)
class Blob:
    """Content that is addressed by its digest. `references` are the digests of what it names."""

    media_type: str
    content: bytes
    references: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """`sha256:` and 64 hexadecimal digits."""
        return f"sha256:{hashlib.sha256(self.content).hexdigest()}"


@dataclass(frozen=True)
class Image:
    """An image for this machine's processor. `command` is what runs; `environment` and `ports` are what it is told."""

    name: str
    layers: tuple[bytes, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ports: tuple[str, ...] = ()

    @cached_property
    def blobs(self) -> tuple[Blob, ...]:
        """Everything that the image consists of, what is named before what names it; the manifest comes last."""
        layers = [Blob(_LAYER, layer) for layer in self.layers]
        config = Blob(_CONFIG, _json(self._config([layer.digest for layer in layers])))
        content = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(config),
            "layers": [descriptor(layer) for layer in layers],
        }
        references = (config.digest, *(layer.digest for layer in layers))
        return (*layers, config, Blob(MANIFEST, _json(content), references))

    @property
    def manifest(self) -> Blob:
        """What the image's name stands for."""
        return self.blobs[-1]

    def _config(self, digests: Sequence[str]) -> dict[str, object]:
        run: dict[str, object] = {
            "Env": [f"{key}={value}" for key, value in self.environment.items()],
            "Entrypoint": list(self.command),
            "WorkingDir": "/",
        }
        if self.ports:
            run["ExposedPorts"] = {port: {} for port in self.ports}
        return {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": list(digests)},
        }


def descriptor(blob: Blob) -> dict[str, object]:
    """How one blob names another."""
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": len(blob.content)}


def archive(image: Image) -> bytes:
    """The image as one file, an OCI layout in a tar archive: what `ctr images import` and `docker load` read."""
    named = descriptor(image.manifest) | {
        "annotations": {
            "io.containerd.image.name": image.name,
            "org.opencontainers.image.ref.name": image.name.rpartition(":")[2],
        }
    }
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}
    folders = [Entry("blobs"), Entry("blobs/sha256")]
    blobs = [Entry(f"blobs/sha256/{blob.digest[7:]}", 0o644, blob.content) for blob in image.blobs]
    layout = Entry("oci-layout", 0o644, b'{"imageLayoutVersion":"1.0.0"}')
    return pack([*folders, *blobs, Entry("index.json", 0o644, _json(index)), layout])


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
