"""Objects in key order, and remembered snapshots."""

from kubewire.apiserver.cache.items import INITIAL_BATCH, Items, namespace_range
from tests.unit.apiserver.cache.objects import pod


def filled(*keys: str) -> Items:
    """Pods of these keys."""
    items = Items()
    for key in keys:
        items.put(key, pod(key))
    return items


def keys(items: Items, namespace: str = "") -> list[str]:
    """Keys of a snapshot."""
    return [item.key for item in items.snapshot(namespace).items]


def test_order_is_the_stores() -> None:
    """Objects come in the order of their keys as bytes, as the store has them."""
    assert keys(filled("b/a", "a-b/x", "a/z", "a/é", "a/b")) == ["a-b/x", "a/b", "a/z", "a/é", "b/a"]


def test_namespaces() -> None:
    """A namespace's snapshot holds its objects and not those of namespaces with a longer name."""
    items = filled("a/1", "a/2", "aa/1", "a-b/1", "b/1")
    assert keys(items, "a") == ["a/1", "a/2"]
    assert keys(items, "none") == []
    assert items.count(*namespace_range("a")) == 2
    assert items.count("", "") == 5


def test_snapshots_are_remembered() -> None:
    """The same snapshot is handed out until something of its namespace changes."""
    items = filled("a/1", "b/1")
    everything, a, b = items.snapshot(""), items.snapshot("a"), items.snapshot("b")
    items.put("a/1", pod("a/1", 2))
    assert items.snapshot("b") is b
    assert items.snapshot("a") is not a
    assert items.snapshot("") is not everything
    assert everything.items[0].revision == 1


def test_removal() -> None:
    """A removed object is gone from later snapshots only."""
    items = filled("a/1", "a/2")
    before = items.snapshot("a")
    items.remove("a/1")
    assert keys(items, "a") == ["a/2"]
    assert len(before.items) == 2
    assert items.get("a/1") is None


def test_pages_of_a_snapshot() -> None:
    """A page is shared at one revision; at the next one it is another page with the same derived bytes."""
    snapshot = filled("a/1").snapshot("")
    page = snapshot.page(5)
    assert snapshot.page(5) is page
    later = snapshot.page(6)
    assert later is not page
    assert later.revision == 6
    assert later.item_forms is page.item_forms
    assert later.forms is not page.forms


def test_initial_state_in_batches() -> None:
    """Additions of everything come in batches of limited size, made once."""
    items = filled(*(f"a/{index:04}" for index in range(INITIAL_BATCH + 1)))
    snapshot = items.snapshot("")
    batches = snapshot.added()
    assert [len(batch.events) for batch in batches] == [INITIAL_BATCH, 1]
    assert snapshot.added() is batches


def test_unused_snapshots_are_freed() -> None:
    """A snapshot nobody asked for between two calls is forgotten."""
    items = filled("a/1")
    first = items.snapshot("")
    items.forget_unused()
    assert items.snapshot("") is first
    items.forget_unused()
    items.forget_unused()
    assert items.snapshot("") is not first
