"""Python source of the function that turns the bytes of one message type into JSON text.

A server writes fields in ascending order of their numbers, so one straight pass over the bytes meets each field at
most once, in an order known beforehand: `if` by `if`, without a table and without a call per field. What is not in
that order - another writer's bytes - ends the pass early, and the caller takes the general way.

The written function:

    def write(o, r, i, e, S) -> str

reads `o[i:e]` (`r` is the same as latin-1 text) and gives the object's members with a comma before each
(`,"a":1,"b":2`), so that an inlined struct is its members and an object is `{` + members without the first comma + `}`.
`S` is told every string: while it returns None the string stands as it is, else what it returns stands in its place.
Collecting strings (`list.append`) and testing them together at the end is faster than testing each, and a pass with
`escape` follows only if one needs it. Strings that often do (`message`, values of annotations) are tested at once.

Inside: `t` the field's tag (its first byte), `l` the byte behind it (a length, a small number, or the tag's second
byte), `i` the position behind that, `j` the end of the field, `x<number>` the member's text, `y` a list or map.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kubewire.machinery.codec.fields import Form, JsonField, Shape
from kubewire.machinery.codec.wire import FIXED64, LENGTH, VARINT

FREE_TEXT: Final = frozenset({"message", "note", "value", "args", "command", "description", "data", "expression"})
"""Fields whose strings often need an escape."""

LONGEST_REMEMBERED: Final = 2048
"""Bytes of the largest message whose text is remembered: what users choose must have a bound in size."""

_WIRE_TYPES: Final = {Form.INT: VARINT, Form.BOOL: VARINT, Form.DOUBLE: FIXED64}
_ZERO_IS_EMPTY: Final = frozenset({Form.STRING, Form.INT, Form.BOOL, Form.BYTES})
_NEXT: Final = ("if j < e: t = o[j]; l = o[j + 1]; i = j + 2", "else: t = 0")


def source_of(fields: tuple[JsonField, ...], defaults: dict[int, str], remembered: frozenset[str], tail: str) -> str:
    """The function `write` for a message of these fields.

    Args:
        fields: in the order of the JSON form.
        defaults: by field number, the member's text when the field is absent.
        remembered: names of message types whose members' text `g<number>` remembers.
        tail: name of a field that may come once more behind all others, since stored objects get their
            resourceVersion appended: of a string the last value counts, of a message both parts are joined.
    """
    blocks = {field.name: _Block(field, field.message in remembered) for field in fields}
    first, last = blocks[tail].parted_lines() if tail else ([], [])
    lines = [f"x{field.number} = {defaults[field.number]!r}" for field in fields]
    lines += ["p = q = 0", "j = i", *_NEXT]
    for field in sorted(fields, key=lambda field: field.number):
        lines += first if field.name == tail else blocks[field.name].lines()
    lines += [*last, "if t or j != e: raise Irregular"]
    members = "".join(f"{{x{field.number}}}" for field in fields)
    lines.append(f"return f'{members}'")
    return "def write(o, r, i, e, S):\n" + "\n".join(f"    {line}" for line in lines)


def _indented(*lines: str) -> Iterator[str]:
    return (f"    {line}" for line in lines)


class _Block:
    """The lines about one field: recognize its tag, find its end, set its member's text, read the next tag."""

    def __init__(self, field: JsonField, is_remembered: bool) -> None:  # noqa: FBT001 - two facts about one thing
        self.field = field
        self.is_remembered = is_remembered
        self.target = f"x{field.number}"
        self.members_of = f"w{field.number}"
        self.text_of = f"g{field.number}"
        # Text in an f-string in single quotes.
        self.key = f',"{field.json_name}":'.replace("{", "{{").replace("}", "}}")
        self.escape = "E" if field.name in FREE_TEXT or field.shape is Shape.MAP else "S"
        self.wire_type = LENGTH if field.shape is Shape.MAP else _WIRE_TYPES.get(field.form, LENGTH)

    def lines(self) -> list[str]:
        """The whole block."""
        condition = self._condition()
        if self.field.shape is Shape.ONE:
            return [f"if {condition}:", *_indented(*self._find_end(), *self._member(), *_NEXT)]
        begin = "y = {}" if self.field.shape is Shape.MAP else "y = []"
        loop = [f"while {condition}:", *_indented(*self._find_end(), *self._collect(), *_NEXT)]
        return [f"if {condition}:", *_indented(begin, *loop, f"{self.target} = f'{self.key}{self._collected()}'")]

    def parted_lines(self) -> tuple[list[str], list[str]]:
        """Instead of `lines`, for a field of which there may be a second part: where the first stands, and the end."""
        if self.field.form is not Form.OBJECT:
            return self.lines(), self.lines()
        joined = self._object(f"write_text({self.members_of}, r[p:q] + r[i:j], S)")
        begin = [f"if {self._condition()}:", *_indented(*self._find_end(), "p = i; q = j", *_NEXT)]
        end = [f"if {self._condition()}:", *_indented(*self._find_end(), f"{self.target} = {joined}", *_NEXT)]
        return begin, [*end, f"elif q: {self.target} = {self._object(self._members('p', 'q'))}"]

    def _object(self, members: str) -> str:
        """An expression for the member whose object has these members (an expression, too)."""
        return f"f'{self.key}{{{{{{{members}[1:]}}}}}}'"

    def _condition(self) -> str:
        tag = self.field.number << 3 | self.wire_type
        return f"t == {tag}" if tag < 0x80 else f"t == {tag & 0x7F | 0x80} and l == {tag >> 7}"

    def _find_end(self) -> Iterator[str]:
        """From `t`, `l` and `i` as read: `i` where the value begins, `j` where it ends."""
        is_long_tag = self.field.number > 15
        if self.wire_type == FIXED64:
            yield "j = i + 8" if is_long_tag else "i -= 1; j = i + 8"
            return
        if is_long_tag:
            yield "l = o[i]; i += 1"
        if self.wire_type == VARINT:
            yield "if l > 127: l, i = read_int(o, i, l)"
            yield "j = i"
        else:
            yield "if l > 127: l, i = read_length(o, i, l)"
            yield "j = i + l"

    def _member(self) -> Iterator[str]:
        """Set the member's text from the value at `i:j`."""
        field = self.field
        # An empty value leaves the default standing, which says what becomes of empty ones.
        guard = "if l: " if field.is_value and field.form in _ZERO_IS_EMPTY else ""
        if field.is_inline:
            yield f"{self.target} = {self._members('i', 'j')}"
        elif field.is_omitted_zero:
            yield f"v = {self.text_of}(r[i:j])"
            yield f"if v != 'null': {self.target} = f'{self.key}{{v}}'"
        elif field.form is Form.OBJECT:
            yield f"{self.target} = {self._object(self._members('i', 'j'))}"
        elif field.form is Form.STRING:
            yield f"{guard}v = r[i:j]; {self.target} = f'{self.key}\"{{{self.escape}(v) or v}}\"'"
        elif field.form is Form.BYTES:
            yield f"{guard}{self.target} = f'{self.key}\"{{base64(o[i:j])}}\"'"
        else:
            yield f"{guard}{self.target} = f'{self.key}{{{self._value('i', 'j')}}}'"

    def _members(self, begin: str, end: str) -> str:
        """An expression for the members of the object at `begin:end`."""
        anew = f"{self.members_of}(o, r, {begin}, {end}, S)"
        if not self.is_remembered:
            return anew
        return f"({self.text_of}(r[{begin}:{end}]) if l < {LONGEST_REMEMBERED} else {anew})"

    def _value(self, begin: str, end: str) -> str:
        """An expression for the text of one value at `begin:end`, strings without their quotes."""
        slice_ = f"r[{begin}:{end}]"
        expressions = {
            Form.OBJECT: f"brace + {self._members(begin, end)}[1:] + end_brace",
            Form.STRING: f"({self.escape}({slice_}) or {slice_})",
            Form.INT: "l",
            Form.BOOL: "(true if l else false)",
            Form.BYTES: f"base64(o[{begin}:{end}])",
            Form.DOUBLE: f"double(o, {begin})",
        }
        return expressions.get(self.field.form, f"{self.text_of}({slice_})")

    def _collect(self) -> Iterator[str]:
        """Put the value at `i:j` into `y`."""
        if self.field.shape is Shape.MAP:
            yield "a, b, c, d = read_entry(o, i, j)"
            yield "l = d - c"
            yield f"y[r[a:b]] = {self._value('c', 'd')}"
        elif self.field.form is Form.STRING:
            yield f"v = r[i:j]; y.append({self.escape}(v) or v)"
        elif self.field.form is Form.INT:
            yield "y.append(str(l))"
        elif self.field.form is Form.OBJECT:
            yield f"y.append({self._members('i', 'j')}[1:])"
        else:
            yield f"y.append({self._value('i', 'j')})"

    def _collected(self) -> str:
        """What stands for `y` in the f-string of the member."""
        is_text = self.field.form in {Form.STRING, Form.BYTES}
        if self.field.shape is Shape.MAP:
            return f"{{{'text_map' if is_text else 'value_map'}(y, S)}}"
        if is_text:
            return '["{text_comma.join(y)}"]'
        return "[{{{object_comma.join(y)}}}]" if self.field.form is Form.OBJECT else "[{comma.join(y)}]"
