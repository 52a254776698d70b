"""Images and their layers."""

import hashlib
import io
import json
import tarfile

import pytest

from kubewire.cluster.images.builtin import is_static
from kubewire.cluster.images.image import Image, archive
from kubewire.cluster.images.layer import Entry, pack

ENTRIES = [
    Entry("bin"),
    Entry("bin/tool", 0o755, b"#!/bin/sh\n"),
    Entry("bin/alias", target="tool"),
    Entry("tmp", 0o1777),
    Entry("etc/empty", 0o644, b""),
]


def image(name: str = "localhost/kubewire/test:1") -> Image:
    """A small image."""
    return Image(name, (pack(ENTRIES),), ("/bin/tool",), {"PATH": "/bin"}, ("8080/tcp",))


def test_layers_are_the_same_everywhere() -> None:
    """A layer's digest is fixed: nothing of time, user or machine is in it."""
    digest = hashlib.sha256(pack(ENTRIES)).hexdigest()
    assert digest == "864aeee352533034674651d17634a133235cbc5386d14b0119fb8ab4e9352c0d"


def test_layer_holds_what_it_was_made_of() -> None:
    """Files, folders, links and modes are read back by tar as they were given; an empty file is a file."""
    with tarfile.open(fileobj=io.BytesIO(pack(ENTRIES))) as layer:
        members = {member.name: member for member in layer.getmembers()}
        content = layer.extractfile("bin/tool")
        assert content is not None
        assert content.read() == b"#!/bin/sh\n"
    assert [members["bin"].isdir(), members["tmp"].mode, members["bin/alias"].linkname] == [True, 0o1777, "tool"]
    assert members["etc/empty"].isfile()


def test_manifest_names_every_blob() -> None:
    """The manifest, last of the blobs, refers to the configuration and the layers by digest and size."""
    blobs = {blob.digest: blob for blob in image().blobs}
    manifest = json.loads(image().manifest.content)
    named = [manifest["config"], *manifest["layers"]]
    assert (
        {entry["digest"] for entry in named}
        == set(image().manifest.references)
        == blobs.keys() - {image().manifest.digest}
    )
    assert all(len(blobs[entry["digest"]].content) == entry["size"] for entry in named)


def test_configuration() -> None:
    """The configuration says what runs, and that its layers unpack to what they are."""
    config = json.loads(image().blobs[-2].content)
    assert config["config"]["Entrypoint"] == ["/bin/tool"]
    assert config["config"]["Env"] == ["PATH=/bin"]
    assert config["rootfs"]["diff_ids"] == [image().blobs[0].digest]


def test_archive() -> None:
    """An archive has an index that names the manifest by the image's name, and each blob under its digest."""
    with tarfile.open(fileobj=io.BytesIO(archive(image()))) as content:
        files = {member.name: content.extractfile(member) for member in content.getmembers() if member.isfile()}
        read = {name: file.read() for name, file in files.items() if file is not None}
    entry = json.loads(read["index.json"])["manifests"][0]
    assert entry["annotations"]["io.containerd.image.name"] == "localhost/kubewire/test:1"
    for name, blob in read.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}"
    assert f"blobs/sha256/{entry['digest'][7:]}" in read


@pytest.mark.parametrize(("kind", "expected"), [(1, True), (3, False)])
def test_static_programs(kind: int, *, expected: bool) -> None:
    """A program that asks for a dynamic loader is not static."""
    header = bytearray(64 + 56)
    header[:5] = b"\x7fELF\x02"
    header[0x20:0x28] = (64).to_bytes(8, "little")
    header[0x36:0x38], header[0x38:0x3A] = (56).to_bytes(2, "little"), (1).to_bytes(2, "little")
    header[64:68] = kind.to_bytes(4, "little")
    assert is_static(bytes(header)) is expected


def test_other_files_are_no_static_programs() -> None:
    """A script is no program that could be an image's first."""
    assert not is_static(b"#!/bin/sh\n")
