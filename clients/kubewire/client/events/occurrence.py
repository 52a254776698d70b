"""Something that happened to an object, before it becomes an Event."""

from __future__ import annotations

from typing import NamedTuple

from kubewire.api.core.v1.reference_pb2 import ObjectReference
from kubewire.client.objects import ApiObject
from kubewire.client.resources.kinds import DynamicObject, resource_of

NORMAL = "Normal"
WARNING = "Warning"


class Subject(NamedTuple):
    """Which object an event is about, as `core.v1.ObjectReference`."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str = ""
    field_path: str = ""

    def to_message(self) -> ObjectReference:
        """The message."""
        return ObjectReference(
            apiVersion=self.api_version,
            kind=self.kind,
            namespace=self.namespace,
            name=self.name,
            uid=self.uid,
            resourceVersion=self.resource_version,
            fieldPath=self.field_path,
        )


def subject_of(obj: ApiObject, field_path: str = "") -> Subject:
    """An object as the subject of events; `field_path` names a part, such as `spec.containers{main}`."""
    metadata = obj.metadata
    if isinstance(obj, DynamicObject):
        api_version, kind = obj.api_version, obj.kind
    else:
        resource = resource_of(type(obj))
        api_version, kind = resource.api_version, resource.kind
    return Subject(
        api_version,
        kind,
        metadata.namespace,
        metadata.name,
        metadata.uid,
        metadata.resourceVersion,
        field_path,
    )


class Occurrence(NamedTuple):
    """What happened: `reason` is a word for machines (`BackOff`), `message` a sentence for people."""

    subject: Subject
    type: str
    reason: str
    message: str
    at: float
    """Wall clock, Unix seconds."""

    @property
    def about(self) -> tuple[str, ...]:
        """Equal for what is about the same object."""
        subject = self.subject
        return (subject.api_version, subject.kind, subject.namespace, subject.name, subject.uid)

    @property
    def alike(self) -> tuple[str, ...]:
        """Equal for what differs in its message only."""
        return (*self.about, self.type, self.reason)

    @property
    def same(self) -> tuple[str, ...]:
        """Equal for what is the same event again."""
        return (*self.alike, self.subject.field_path, self.message)
