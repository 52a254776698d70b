"""The objects in tests/data: what a Kubernetes release writes for them in JSON and in protobuf."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import orjson
from google.protobuf.message import Message

from kubewire.api.index import MESSAGES
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.json_value import JsonObject
from kubewire.machinery.messages import message_class

DATA = Path(__file__).parents[2] / "data"
WATCH_EVENT = "k8s.io.apimachinery.pkg.apis.meta.v1.WatchEvent"


@dataclass(frozen=True)
class Fixture:
    """One object in both forms.

    Attributes:
        name: of the file, for test names.
        document: the JSON text.
        stored: the protobuf form with its envelope.
    """

    name: str
    document: bytes
    stored: bytes

    @cached_property
    def value(self) -> JsonObject:
        """The JSON values."""
        found: JsonObject = orjson.loads(self.document)
        return found

    @cached_property
    def unknown(self) -> Unknown:
        """The envelope, taken apart by protobuf itself."""
        return Unknown.FromString(self.stored[4:])

    @property
    def raw(self) -> bytes:
        """The object's own bytes."""
        return self.unknown.raw

    @property
    def gvk(self) -> GroupVersionKind | None:
        """What the JSON form names; a watch event names nothing."""
        meta = self.unknown.typeMeta
        return GroupVersionKind.from_api_version(meta.apiVersion, meta.kind) if meta.kind else None

    @property
    def message(self) -> str:
        """Full name of the message."""
        return message_name(self.gvk) if self.gvk else WATCH_EVENT

    @property
    def message_type(self) -> type[Message]:
        """Its class."""
        return message_class(self.message)


def message_name(gvk: GroupVersionKind) -> str:
    """The message of a kind: of its own group, or one that all groups share (options, discovery)."""
    own = f"k8s.io.api.{gvk.group.partition('.')[0] or 'core'}.{gvk.version}.{gvk.kind}"
    return own if own in MESSAGES else f"k8s.io.apimachinery.pkg.apis.meta.v1.{gvk.kind}"


def load(folder: str) -> list[Fixture]:
    """All objects of one folder."""
    paths = sorted((DATA / folder).glob("*.pb"))
    return [Fixture(path.stem, path.with_suffix(".json").read_bytes(), path.read_bytes()) for path in paths]


FULL = load("kubernetes")
SPARSE = load("sparse")
ALL = [*FULL, *SPARSE]


def requests() -> dict[str, bytes]:
    """The sparse objects as they were posted, by name."""
    return {
        path.name.removesuffix(".request.json"): path.read_bytes() for path in (DATA / "sparse").glob("*.request.json")
    }


def compacted(value: JsonObject) -> bytes:
    """JSON text as a server sends it: no whitespace, and Go's escapes for HTML."""
    text = orjson.dumps(value)
    for plain, escaped in ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026")):
        text = text.replace(plain, escaped)
    return text
