"""Subjects name objects as ObjectReferences do."""

from kubewire.api.apps.v1.deployment_pb2 import Deployment
from kubewire.client.events.occurrence import subject_of
from kubewire.client.resources.kinds import DynamicObject
from tests.unit.client.objects import pod


def test_subjects_know_their_kind() -> None:
    """From the message's class, or from what a dynamic object says."""
    web = pod("web")
    web.metadata.uid, web.metadata.resourceVersion = "u", "7"
    subject = subject_of(web, "spec.containers{main}")
    assert subject == ("v1", "Pod", "default", "web", "u", "7", "spec.containers{main}")
    assert subject.to_message().fieldPath == "spec.containers{main}"
    assert subject_of(Deployment()).api_version == "apps/v1"
    dynamic = DynamicObject("example.com/v1", "Widget", web.SerializeToString())
    assert subject_of(dynamic)[:4] == ("example.com/v1", "Widget", "default", "web")
