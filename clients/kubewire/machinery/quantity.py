"""Exact amounts of resources: `100m`, `1.5Gi`, `2e3`.

A Quantity is `unscaled * 10**scale` with Python's unbounded integers, so nothing overflows and nothing is
rounded but what Kubernetes rounds: amounts finer than a billionth go up to the next one. The notation it was
written in (decimal SI, binary SI, decimal exponent) is kept, because the canonical form depends on it.

The scheduler reads the same few texts ("100m", "128Mi") over and over: `parse`, `milli_value_of` and
`value_of` remember them.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache, total_ordering

_CACHED_TEXTS = 8192
_CACHED_LENGTH = 40
"""Longer texts are not remembered: a cache keyed by user input must have a bound in bytes, too."""

_MAX_LENGTH = 1_000
_MAX_EXPONENT = 1_000
"""Beyond these a text is refused (Kubernetes is not as strict): a few characters must not ask for megabytes
of digits, and every sum of what is accepted stays below Python's limit of 4,300 digits in one text."""

_NANO = -9
_MILLI = -3
_MAX_BINARY = 2**63 - 1
_FAST_DIGITS = 18
"""Up to this many digits Kubernetes keeps a decimal as written when it already looks canonical."""


class QuantityError(ValueError):
    """A text is not a quantity; the message is Kubernetes'. The user's fault, a retry does not help."""


class Format(StrEnum):
    """The notation of a quantity."""

    DECIMAL_SI = "DecimalSI"
    BINARY_SI = "BinarySI"
    DECIMAL_EXPONENT = "DecimalExponent"


_SPLIT = re.compile(r"([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII).fullmatch

_DECIMAL_SUFFIXES = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P", 18: "E"}
_BINARY_SUFFIXES = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")
_SUFFIXES = {
    **{text: (Format.DECIMAL_SI, exponent) for exponent, text in _DECIMAL_SUFFIXES.items()},
    **{text: (Format.BINARY_SI, 10 * i) for i, text in enumerate(_BINARY_SUFFIXES) if i},
}


@total_ordering
class Quantity:
    """An immutable amount; equal and ordered by value whatever its notation."""

    __slots__ = ("_text", "format", "scale", "unscaled")

    def __init__(self, unscaled: int, scale: int = 0, format_: Format = Format.DECIMAL_SI, *, text: str = "") -> None:
        self.unscaled = unscaled
        self.scale = scale
        self.format = format_
        self._text = text

    @classmethod
    def from_milli(cls, milli: int) -> Quantity:
        """`milli` thousandths, e.g. of a CPU."""
        return cls(milli, _MILLI)

    def __str__(self) -> str:
        """The canonical form: shortest mantissa without fraction, largest suffix, `0` for zero."""
        if not self._text:
            self._text = _canonical(self)
        return self._text

    to_json = __str__

    def __repr__(self) -> str:
        return f"Quantity({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Quantity):
            return NotImplemented
        if self.scale == other.scale:
            return self.unscaled == other.unscaled
        mine, theirs = _aligned(self, other)
        return mine == theirs

    def __lt__(self, other: Quantity) -> bool:
        mine, theirs = _aligned(self, other)
        return mine < theirs

    def __hash__(self) -> int:
        return hash(_without_factors(self.unscaled, self.scale))

    def __bool__(self) -> bool:
        return self.unscaled != 0

    def __add__(self, other: Quantity) -> Quantity:
        """The sum, in this notation unless this is zero."""
        mine, theirs = _aligned(self, other)
        return Quantity(mine + theirs, min(self.scale, other.scale), self.format if self.unscaled else other.format)

    def __sub__(self, other: Quantity) -> Quantity:
        """The difference, in this notation unless this is zero."""
        return self + -other

    def __neg__(self) -> Quantity:
        return Quantity(-self.unscaled, self.scale, self.format)

    def __mul__(self, factor: int) -> Quantity:
        return Quantity(self.unscaled * factor, self.scale, self.format)

    def __float__(self) -> float:
        """The nearest float; infinite beyond its range."""
        return float(f"{self.unscaled}e{self.scale}")

    def scaled_value(self, scale: int) -> int:
        """The amount in units of `10**scale`, rounded away from zero."""
        return _rescaled(self.unscaled, self.scale - scale)

    @property
    def value(self) -> int:
        """Whole units, rounded away from zero."""
        return _rescaled(self.unscaled, self.scale)

    @property
    def milli_value(self) -> int:
        """Thousandths, rounded away from zero."""
        return _rescaled(self.unscaled, self.scale - _MILLI)

    def round_up(self, scale: int) -> Quantity:
        """The amount in whole `10**scale`, rounded away from zero; itself if it is so already."""
        if self.scale >= scale:
            return self
        return Quantity(self.scaled_value(scale), scale, self.format)


ZERO = Quantity(0, text="0")


_POWERS = tuple(10**power for power in range(64))


def _ten_to(power: int) -> int:
    return _POWERS[power] if power < len(_POWERS) else int(10**power)


def _rescaled(unscaled: int, shift: int) -> int:
    if shift >= 0:
        return unscaled * _ten_to(shift)
    quotient, rest = divmod(abs(unscaled), _ten_to(-shift))
    rounded = quotient + (rest != 0)
    return rounded if unscaled >= 0 else -rounded


def _aligned(left: Quantity, right: Quantity) -> tuple[int, int]:
    """Both amounts in units of the finer scale."""
    shift = left.scale - right.scale
    if shift >= 0:
        return left.unscaled * _ten_to(shift), right.unscaled
    return left.unscaled, right.unscaled * _ten_to(-shift)


def _without_factors(unscaled: int, scale: int) -> tuple[int, int]:
    """The same amount with all factors of ten in the scale."""
    if unscaled == 0:
        return 0, 0
    while unscaled % 10 == 0:
        unscaled //= 10
        scale += 1
    return unscaled, scale


def parse(text: str) -> Quantity:
    """The quantity a text stands for.

    Raises:
        QuantityError: the text is no quantity, or longer or with a larger exponent than 1,000.
    """
    return _parse_cached(text) if len(text) <= _CACHED_LENGTH else _parse(text)


def canonical(text: str) -> str:
    """The text a quantity is stored and printed with."""
    return str(parse(text))


def milli_value_of(text: str) -> int:
    """`parse(text).milli_value`, remembered."""
    return _milli_cached(text) if len(text) <= _CACHED_LENGTH else _parse(text).milli_value


def value_of(text: str) -> int:
    """`parse(text).value`, remembered."""
    return _value_cached(text) if len(text) <= _CACHED_LENGTH else _parse(text).value


@lru_cache(_CACHED_TEXTS)
def _parse_cached(text: str) -> Quantity:
    return _parse(text)


@lru_cache(_CACHED_TEXTS)
def _milli_cached(text: str) -> int:
    return _parse(text).milli_value


@lru_cache(_CACHED_TEXTS)
def _value_cached(text: str) -> int:
    return _parse(text).value


def _parse(text: str) -> Quantity:
    match = _SPLIT(text)
    if not text or match is None:
        raise QuantityError(
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        )
    if len(text) > _MAX_LENGTH:
        raise QuantityError("unable to parse numeric part of quantity")
    sign, whole, fraction, suffix = match.groups(default="")
    format_, exponent = _interpret(suffix)
    digits = (whole or "0") + fraction
    if _is_kept_short(whole or "0", fraction, format_, exponent):
        return _parse_short(text, sign, digits, len(fraction), format_, exponent)
    if not any(char.isdigit() for char in text[: len(text) - len(suffix)]):
        raise QuantityError("unable to parse numeric part of quantity")
    return _parse_long(sign, digits, len(fraction), format_, exponent)


def _interpret(suffix: str) -> tuple[Format, int]:
    known = _SUFFIXES.get(suffix)
    if known is not None:
        return known
    if len(suffix) > 1 and suffix[0] in "eE":
        try:
            exponent = int(suffix[1:])
        except ValueError:
            pass
        else:
            if -_MAX_EXPONENT <= exponent <= _MAX_EXPONENT:
                return Format.DECIMAL_EXPONENT, exponent
    raise QuantityError("unable to parse quantity's suffix")


def _is_kept_short(whole: str, fraction: str, format_: Format, exponent: int) -> bool:
    """Whether Kubernetes holds the amount in 64 bits, which decides if the text is kept as written."""
    if format_ is not Format.BINARY_SI:
        return len(whole) + len(fraction) <= _FAST_DIGITS and exponent - len(fraction) >= _NANO
    return not fraction and 14 - len(whole) - exponent * 3 // 10 >= 0


def _parse_short(text: str, sign: str, digits: str, places: int, format_: Format, exponent: int) -> Quantity:
    number = int(digits)
    if format_ is Format.BINARY_SI:
        is_canonical = bool(number & 7)
        number, scale = number << exponent, 0
    else:
        scale = exponent - places
        is_canonical = scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"
    return Quantity(-number if sign == "-" else number, scale, format_, text=text if is_canonical else "")


def _parse_long(sign: str, digits: str, places: int, format_: Format, exponent: int) -> Quantity:
    number = int(digits)
    scale = -places
    if format_ is Format.BINARY_SI:
        number <<= exponent
    else:
        scale += exponent
    if scale < _NANO:
        number, scale = _rescaled(number, scale - _NANO), _NANO
    if format_ is Format.BINARY_SI:
        if number > _rescaled(_MAX_BINARY, -scale):
            number, scale = _MAX_BINARY, 0
        if 0 < number < _ten_to(-scale):
            format_ = Format.DECIMAL_SI
    return Quantity(-number if sign == "-" else number, scale, format_)


def _canonical(quantity: Quantity) -> str:
    if quantity.unscaled == 0:
        return "0"
    if quantity.format is Format.BINARY_SI:
        binary = _canonical_binary(quantity)
        if binary is not None:
            return binary
    number, exponent = _without_factors(quantity.unscaled, quantity.scale)
    number *= _ten_to(exponent % 3)
    exponent -= exponent % 3
    if quantity.format is not Format.DECIMAL_EXPONENT and exponent in _DECIMAL_SUFFIXES:
        return f"{number}{_DECIMAL_SUFFIXES[exponent]}"
    return f"{number}e{exponent}" if exponent else str(number)


def _canonical_binary(quantity: Quantity) -> str | None:
    """None when the amount is below 1024 or no whole number: such amounts are printed in decimal."""
    number = quantity.value
    if -1024 < number < 1024 or Quantity(number) != quantity:
        return None
    power = 0
    while number % 1024 == 0 and power < len(_BINARY_SUFFIXES) - 1:
        number //= 1024
        power += 1
    return f"{number}{_BINARY_SUFFIXES[power]}"
