"""Finding the groups an event concerns."""

from kubewire.apiserver.cache.dispatch import Dispatcher
from kubewire.apiserver.cache.selection import EVERYTHING, Selection
from kubewire.apiserver.cache.watchers import GroupKey, Watcher
from kubewire.apiserver.item import Event
from kubewire.machinery.selectors import fields, labels
from tests.unit.apiserver.cache.objects import added, modified, pod


def join(dispatcher: Dispatcher, selection: Selection) -> Watcher:
    """A watcher of a selection."""
    return Watcher(dispatcher.group(GroupKey(selection, 0.0)), iter(()), bookmarks=False, leave=dispatcher.leave)


def on_node(node: str, namespace: str = "") -> Selection:
    """Pods of a node."""
    return Selection(namespace, None, fields.parse(f"spec.nodeName={node}"))


def received(watcher: Watcher) -> list[str]:
    """Types of the events that were sent."""
    events: list[Event] = []
    while (batch := watcher._next()) is not None:
        events += batch.events
    return [event.type for event in events]


async def test_groups_are_shared() -> None:
    """Watchers of equal selections are in one group, others are not."""
    dispatcher = Dispatcher(lambda: 1)
    one, two = (
        join(dispatcher, Selection("a", labels.parse("x=y"))),
        join(dispatcher, Selection("a", labels.parse("x=y"))),
    )
    assert one.group is two.group
    assert join(dispatcher, EVERYTHING).group is not one.group


async def test_namespaces_and_nodes() -> None:
    """An event reaches watchers of everything, of its namespace and of its node, and no others."""
    dispatcher = Dispatcher(lambda: 1)
    watchers = {
        name: join(dispatcher, selection)
        for name, selection in {
            "all": EVERYTHING,
            "a": Selection("a"),
            "b": Selection("b"),
            "n1": on_node("n1"),
            "n2": on_node("n2"),
            "n1 in b": on_node("n1", "b"),
        }.items()
    }
    dispatcher.offer(added(pod("a/x", 5, node="n1")))
    dispatcher.settle()
    assert {name for name, watcher in watchers.items() if received(watcher)} == {"all", "a", "n1"}


async def test_moving_between_values() -> None:
    """A change of an indexed field reaches both sides: one sees it go, one sees it come."""
    dispatcher = Dispatcher(lambda: 1)
    unassigned, assigned, other = (join(dispatcher, on_node(node)) for node in ("", "n1", "n2"))
    before = pod("a/x", 5)
    dispatcher.offer(modified(pod("a/x", 6, node="n1"), before))
    dispatcher.settle()
    assert [received(one) for one in (unassigned, assigned, other)] == [["DELETED"], ["ADDED"], []]


async def test_empty_groups_go() -> None:
    """When the last watcher leaves, nothing of its group is kept."""
    dispatcher = Dispatcher(lambda: 1)
    for selection in (EVERYTHING, Selection("a"), on_node("n1")):
        one, two = join(dispatcher, selection), join(dispatcher, selection)
        await one.aclose()
        assert list(dispatcher.watchers()) == [two]
        await two.aclose()
    assert not dispatcher._groups
    assert not dispatcher._by_namespace
    assert not dispatcher._by_field
    dispatcher.offer(added(pod("a/x")))
    dispatcher.settle()
