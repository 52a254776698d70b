"""Go's words for what is no JSON."""

import pytest

from kubewire.machinery.codec.document import parse
from kubewire.machinery.codec.errors import MalformedJson

END = "unexpected end of JSON input"
REASONS = {
    "": END,
    "  ": END,
    "{": END,
    '{"a"': END,
    '{"a":': END,
    '"abc': END,
    "nul": END,
    "-": END,
    "1.": END,
    "{a}": "invalid character 'a' looking for beginning of object key string",
    '{"a":1,}': "invalid character '}' looking for beginning of object key string",
    "{'a':1}": r"invalid character '\'' looking for beginning of object key string",
    '{"a"}': "invalid character '}' after object key",
    '{"a":}': "invalid character '}' looking for beginning of value",
    "[1,]": "invalid character ']' looking for beginning of value",
    "[1 2]": "invalid character '2' after array element",
    '{"a":1 "b"}': "invalid character '\"' after object key:value pair",
    '{"a":[{}],"b":1 2}': "invalid character '2' after object key:value pair",
    '{"a":01}': "invalid character '1' after object key:value pair",
    "nulx": "invalid character 'x' in literal null (expecting 'l')",
    "[tru]": "invalid character ']' in literal true (expecting 'e')",
    "-x": "invalid character 'x' in numeric literal",
    "[1.]": "invalid character ']' after decimal point in numeric literal",
    "[1e]": "invalid character ']' in exponent of numeric literal",
    "[1e+]": "invalid character ']' in exponent of numeric literal",
    '"a\nb"': r"invalid character '\n' in string literal",
    r'"\x"': "invalid character 'x' in string escape code",
    r'"\u12g4"': r"invalid character 'g' in \u hexadecimal character escape",
    "{} x": "invalid character 'x' after top-level value",
    "NaN": "invalid character 'N' looking for beginning of value",
    "-Infinity": "invalid character 'I' in numeric literal",
    "ü": "invalid character 'Ã' looking for beginning of value",
    "\ufeff{}": "invalid character 'ï' looking for beginning of value",
}


@pytest.mark.parametrize(("text", "message"), REASONS.items())
def test_the_reason_is_gos(text: str, message: str) -> None:
    """The first wrong character and what it is in."""
    with pytest.raises(MalformedJson) as caught:
        parse(text.encode())
    assert str(caught.value) == message
