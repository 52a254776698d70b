"""Strings in messages are quoted as Go's `%q` quotes them."""

import pytest

from kubewire.machinery.quoting import quote


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("", '""'),
        ("plain text!", '"plain text!"'),
        ('say "x"\\', '"say \\"x\\"\\\\"'),
        ("a\n\t\r\a\b\f\v", '"a\\n\\t\\r\\a\\b\\f\\v"'),
        ("\x00\x7f", '"\\x00\\x7f"'),
        ("\u00e9\u4e16", '"\u00e9\u4e16"'),
        ("\u200b\u00a0", '"\\u200b\\u00a0"'),
        ("\U0001f600", '"\U0001f600"'),
        ("\U000e0001", '"\\U000e0001"'),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    """Printable characters stay, others get the shortest escape."""
    assert quote(text) == quoted
