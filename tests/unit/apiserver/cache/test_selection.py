"""Selections, and how changes look from inside them."""

from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.item import Event
from kubewire.machinery.selectors import fields, labels
from tests.unit.apiserver.cache.objects import added, modified, pod

WEB = Selection("", labels.parse("app=web"))
WEB_POD, DB_POD = pod("a/x", 5, app="web"), pod("a/x", 7, app="db")


def test_equal_selections_share() -> None:
    """Selections of the same meaning are equal, so that their watchers share a group."""
    again = Selection("", labels.parse("app=web"))
    assert again == WEB
    assert hash(again) == hash(WEB)
    assert Selection("a", labels.parse("app=web")) != WEB
    assert Selection("", labels.parse(""), fields.parse("")) == EVERYTHING
    assert not Selection("a", labels.parse("")).has_selectors


def test_matches() -> None:
    """Namespace, labels and fields must all fit."""
    assert WEB.matches(WEB_POD)
    assert not WEB.matches(DB_POD)
    assert not Selection("b").matches(WEB_POD)
    on_node = Selection("", None, fields.parse("spec.nodeName=n1,metadata.name!=y"))
    assert on_node.matches(pod("a/x", node="n1"))
    assert not on_node.matches(pod("a/x", node="n2"))
    assert not on_node.matches(pod("a/y", node="n1"))


def test_exact_field() -> None:
    """The demanded value is found, a name before others; inequality demands none."""
    assert Selection("", None, fields.parse("spec.nodeName=n1")).exact_field == ("spec.nodeName", "n1")
    both = Selection("", None, fields.parse("spec.nodeName=n1,metadata.name=x"))
    assert both.exact_field == ("metadata.name", "x")
    assert both.name == "x"
    assert Selection("", None, fields.parse("status.phase!=Running")).exact_field is None
    assert EVERYTHING.exact_field is None


def test_names_need_no_decoding() -> None:
    """A selector on the name alone works on an object that cannot be decoded."""
    item = pod("a/x")
    item.raw = b"\xff"
    assert Selection("", None, fields.parse("metadata.name=x,metadata.namespace=a")).matches(item)


def test_everything_sees_events_as_they_are() -> None:
    """Without selectors an event is passed on itself, with what was derived from it."""
    event = modified(DB_POD, WEB_POD)
    assert EVERYTHING.view(event) is event


def test_change_inside() -> None:
    """A change within the selection stays a change, the event itself."""
    event = modified(pod("a/x", 9, app="web", more="x"), WEB_POD)
    assert WEB.view(event) is event


def test_change_outside() -> None:
    """A change outside is not seen."""
    assert WEB.view(modified(pod("a/x", 9, app="cache"), DB_POD)) is None
    assert WEB.view(added(DB_POD)) is None
    assert WEB.view(Event("DELETED", pod("a/x", 9, app="db"), DB_POD, 9)) is None


def test_coming_in() -> None:
    """An object that begins to match is added."""
    item = pod("a/x", 9, app="web")
    event = WEB.view(modified(item, DB_POD))
    assert event is not None
    assert (event.type, event.item, event.revision) == ("ADDED", item, 9)


def test_going_out() -> None:
    """One that ceases to match is deleted: as it last was inside, with the revision of the change."""
    event = WEB.view(modified(DB_POD, WEB_POD))
    assert event is not None
    assert event.type == "DELETED"
    assert event.revision == 7
    assert event.item is not None
    assert event.item.revision == 7
    assert dict(event.item.labels) == {"app": "web"}
    assert event.item.metadata.resourceVersion == "7"


def test_deletion_inside() -> None:
    """A deletion of what was inside is passed on itself."""
    event = Event("DELETED", pod("a/x", 9, app="web"), WEB_POD, 9)
    assert WEB.view(event) is event


def test_bookmarks_pass() -> None:
    """Bookmarks concern everybody."""
    event = Event("BOOKMARK", None, None, 9)
    assert WEB.view(event) is event
