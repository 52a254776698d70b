"""Path elements are spelt as Kubernetes spells them, in FieldsV1 and in messages."""

import pytest

from kubewire.machinery.managed_fields import elements


@pytest.mark.parametrize(
    ("element", "spelling"),
    [
        (elements.field("a.b/c"), "f:a.b/c"),
        (elements.keyed_item("name", "c"), 'k:{"name":"c"}'),
        (elements.keyed_item("name", 'a"\\<&>\u00e9\u2028'), 'k:{"name":"a\\"\\\\\\u003c\\u0026\\u003e\u00e9\\u2028"}'),
        (elements.keyed_item("port", 80), 'k:{"port":80}'),
        (elements.keyed_item_of({"protocol": "TCP", "port": 80}), 'k:{"port":80,"protocol":"TCP"}'),
        (elements.set_item("x"), 'v:"x"'),
        (elements.set_item(1), "v:1"),
        (elements.set_item(True), "v:true"),
    ],
)
def test_spelling(element: str, spelling: str) -> None:
    """An element is spelt with sorted keys, and escapes what HTML would interpret."""
    assert element == spelling
    assert elements.canonical(element) == element


@pytest.mark.parametrize(
    ("element", "printed"),
    [
        ("f:spec", ".spec"),
        ('k:{"name":"c"}', '[name="c"]'),
        ('k:{"port":80,"protocol":"TCP"}', '[port=80,protocol="TCP"]'),
        ('v:"x"', '[="x"]'),
        ("i:3", "[3]"),
        ('k:{"a":true,"b":null}', "[a=true,b=null]"),
    ],
)
def test_printing(element: str, printed: str) -> None:
    """Conflict messages print elements this way."""
    assert elements.describe(element) == printed
