"""Configuration: one frozen dataclass a component, filled from a YAML file, the environment and flags.

A field of the dataclass is one setting under one name: `secure_port` in YAML, `KUBEWIRE_APISERVER_SECURE_PORT` in the
environment, `--secure-port` as a flag. Flags win over the environment, the environment over the file, the file over
the default. Every field says what it is, its unit, and why its default is what it is; `--help` prints that.
"""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from kubewire.component.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")
Value = TypeVar("Value")

_TRUE: Final = frozenset({"true", "yes", "on", "1"})
_FALSE: Final = frozenset({"false", "no", "off", "0"})
_METADATA: Final = "setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a field of a configuration says about itself."""

    help: str
    reason: str = ""
    minimum: float | None = None
    maximum: float | None = None


def setting(
    default: Value, help_text: str, *, reason: str = "", minimum: float | None = None, maximum: float | None = None
) -> Value:
    """A field of a configuration. `help_text` names the unit; `reason` says why the default is what it is."""
    described = Setting(help_text, reason, minimum, maximum)
    return dataclasses.field(default=default, metadata={_METADATA: described})


def load(
    kind: type[Config], component: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> Config:
    """The configuration of `component` (its folder's name) from flags, environment and the file that `--config` names.

    Prints help and exits for `--help`.

    Raises:
        ConfigError: a value cannot be read, or a name is none of the settings.
    """
    fields = _fields(kind)
    flags = _read_flags(kind, component, arguments)
    variables = os.environ if environment is None else environment
    prefix = f"KUBEWIRE_{component.upper()}_"
    file = flags.pop("config", None) or variables.get(f"{prefix}CONFIG")
    values = _from_file(Path(str(file)), fields) if file else {}
    for name, field in fields.items():
        variable = prefix + name.upper()
        if variable in variables:
            values[name] = field.read(variables[variable], variable)
        if name in flags:
            values[name] = field.read(flags[name], field.flag)
    return kind(**values)


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    type: Any  # a type as annotations write it
    default: object
    setting: Setting

    @property
    def flag(self) -> str:
        """As it is written on a command line."""
        return "--" + self.name.replace("_", "-")

    def read(self, given: object, source: str) -> object:
        """The value, from text or from YAML.

        Raises:
            ConfigError: naming `source`, when it is none.
        """
        try:
            value = _reader(self.type)(given)
        except ValueError as error:
            raise ConfigError(f"{source}: {error}") from None
        self._check_range(value, source)
        return value

    def _check_range(self, value: object, source: str) -> None:
        low, high = self.setting.minimum, self.setting.maximum
        if not isinstance(value, int | float):
            return
        if (low is not None and value < low) or (high is not None and value > high):
            bounds = f"at least {low:g}" if high is None else f"{low or 0:g} to {high:g}"
            raise ConfigError(f"{source}: want {bounds}, got {value:g}")


def _fields(kind: type[DataclassInstance]) -> dict[str, _Field]:
    hints = get_type_hints(kind)
    return {
        field.name: _Field(field.name, hints[field.name], field.default, field.metadata[_METADATA])
        for field in dataclasses.fields(kind)
        if _METADATA in field.metadata
    }


# ---------------------------------------------------------------------------------------------- reading values


def _reader(kind: Any) -> Callable[[object], object]:  # noqa: ANN401 - a type as annotations write it
    """What reads a value of an annotated type."""
    origin = get_origin(kind)
    if origin is types.UnionType:
        inner = next(part for part in get_args(kind) if part is not types.NoneType)
        return lambda given: None if given in (None, "") else _reader(inner)(given)
    if origin is Literal:
        return lambda given: _choice(given, get_args(kind))
    if origin is tuple:
        return _texts
    return _READERS[kind]


def _text(given: object) -> str:
    if isinstance(given, str):
        return given
    raise ValueError(f"want a text, got {given!r}")


def _whole(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    try:
        return int(str(given), 10)
    except ValueError:
        raise ValueError(f"want a whole number, got {given!r}") from None


def _number(given: object) -> float:
    try:
        return float(str(given))
    except ValueError:
        raise ValueError(f"want a number, got {given!r}") from None


def _flag(given: object) -> bool:
    text = str(given).lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"want true or false, got {given!r}")


def _texts(given: object) -> tuple[str, ...]:
    """A list, or texts with commas."""
    parts = given if isinstance(given, list) else [given]
    return tuple(piece.strip() for part in parts for piece in _text(part).split(",") if piece.strip())


def _choice(given: object, choices: Sequence[str]) -> str:
    if given in choices:
        return str(given)
    raise ValueError(f"want {' or '.join(choices)}, got {given!r}")


_READERS: Final[Mapping[object, Callable[[object], object]]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _flag,
    Path: lambda given: Path(_text(given)).expanduser(),
}

# ------------------------------------------------------------------------------------------- where they come from


def _from_file(path: Path, fields: Mapping[str, _Field]) -> dict[str, object]:
    import yaml  # noqa: PLC0415 - only who has a file pays for it

    try:
        document = yaml.load(path.read_bytes(), yaml.CSafeLoader)
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: want settings by name, got {type(document).__name__}")
    unknown = sorted(str(name) for name in document if name not in fields)
    if unknown:
        raise ConfigError(f"{path}: {unknown[0]}: no such setting; there are {', '.join(fields)}")
    return {name: fields[name].read(given, f"{path}: {name}") for name, given in document.items()}


def _read_flags(kind: type[DataclassInstance], component: str, arguments: Sequence[str]) -> dict[str, object]:
    """Flags that were given, as text."""
    import argparse  # noqa: PLC0415 - a component hosted in another's process has no command line

    parser = argparse.ArgumentParser(
        prog=f"kubewire-{component.replace('_', '-')}",
        description=kind.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE", help="YAML file with these settings, named with underscores")
    for field in _fields(kind).values():
        _add_flag(parser, field)
    return {name: given for name, given in vars(parser.parse_args(arguments)).items() if given is not None}


def _add_flag(parser: argparse.ArgumentParser, field: _Field) -> None:
    text = " ".join(_help(field)).replace("%", "%%")
    if field.type is bool:
        parser.add_argument(field.flag, nargs="?", const="true", metavar="true|false", help=text)
    elif get_origin(field.type) is tuple:
        parser.add_argument(field.flag, action="append", metavar="VALUE", help=text)
    else:
        metavar = "FILE" if "Path" in str(field.type) else "VALUE"
        parser.add_argument(field.flag, metavar=metavar, help=text)


def _help(field: _Field) -> Iterator[str]:
    yield f"{field.setting.help}."
    default = field.default
    if isinstance(default, tuple):
        default = ",".join(default)
    if default not in (None, "", False):
        yield f"Default {str(default).lower() if default is True else default}."
    if field.setting.reason:
        yield f"{field.setting.reason[0].upper()}{field.setting.reason[1:]}."
