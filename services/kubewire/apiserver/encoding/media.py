"""What clients may ask an answer to look like, and how an Accept header is matched against it.

The rules are those of Kubernetes' content negotiation: clauses in order of preference, wildcards, the `as`, `g`
and `v` parameters that turn objects into tables or bare metadata, 406 when nothing fits. Clients send the same few
headers over and over, so every step is remembered by its text.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from kubewire.machinery import errors


class Format(Enum):
    """How an answer is written; the values are media types."""

    JSON = "application/json"
    YAML = "application/yaml"
    PROTOBUF = "application/vnd.kubernetes.protobuf"

    __hash__ = object.__hash__  # members are single; Enum's own hash runs Python code on every look-up


class View(Enum):
    """Which part of objects an answer shows."""

    OBJECT = ""
    TABLE = "Table"
    METADATA = "PartialObjectMetadata"
    METADATA_LIST = "PartialObjectMetadataList"

    __hash__ = object.__hash__


META_GROUP: Final = "meta.k8s.io"
_VIEWS: Final = {view.value: view for view in View if view is not View.OBJECT}
_VIEW_VERSIONS: Final = ("v1", "v1beta1")
_FORMATS: Final = {form.value: form for form in Format} | {
    "application/*": Format.JSON,
    "*/*": Format.JSON,
    "text/yaml": Format.YAML,
}
FORMAT_NAMES: Final = tuple(form.value for form in Format)
"""Media types as error messages list them."""

STREAM_TYPES: Final[Mapping[Format, str]] = {
    Format.JSON: Format.JSON.value,
    Format.PROTOBUF: f"{Format.PROTOBUF.value};stream=watch",
}
"""Content types of watches: YAML has no frames."""


class Wanted(NamedTuple):
    """What a client gets: a format, and for a view other than OBJECT the version of `meta.k8s.io` it is in."""

    format: Format
    view: View = View.OBJECT
    view_version: str = ""
    pretty: bool = False


class Clause(NamedTuple):
    """One alternative of an Accept header: `application/json;as=Table;v=v1;g=meta.k8s.io`."""

    media_type: str
    parameters: Mapping[str, str]
    quality: float


@lru_cache(maxsize=256)
def parse_accept(header: str) -> tuple[Clause, ...]:
    """The clauses, the most wanted first; wildcards rank behind what is named at the same quality."""
    clauses = [_parse_clause(part) for part in header.split(",") if part.strip()]
    return tuple(sorted(clauses, key=lambda clause: (-clause.quality, clause.media_type.count("*"))))


def _parse_clause(text: str) -> Clause:
    media_type, *rest = (part.strip() for part in text.split(";"))
    parameters: dict[str, str] = {}
    for part in rest:
        name, _, value = part.partition("=")
        parameters[name.strip().lower()] = value.strip().strip('"')
    return Clause(media_type.lower(), parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


@lru_cache(maxsize=256)
def negotiate(accept: str) -> Wanted:
    """What to answer with on endpoints that serve objects.

    Raises:
        StatusError: 406, when no clause names something that can be served.
    """
    if not accept:
        return Wanted(Format.JSON)
    for clause in parse_accept(accept):
        found = _match(clause)
        if found is not None:
            return found
    raise errors.not_acceptable(FORMAT_NAMES)


def _match(clause: Clause) -> Wanted | None:
    chosen = _FORMATS.get(clause.media_type)
    given = clause.parameters
    if chosen is None or given.get("stream", "watch") != "watch":
        return None
    pretty = given.get("pretty") == "1"
    if "as" not in given:
        return Wanted(chosen, pretty=pretty)
    view = _VIEWS.get(given["as"])
    version = given.get("v", "")
    if view is None or given.get("g") != META_GROUP or version not in _VIEW_VERSIONS:
        return None
    if view is View.TABLE and chosen is Format.PROTOBUF:
        return None
    return Wanted(chosen, view, version, pretty)


def negotiate_stream(accept: str) -> Wanted:
    """What a watch is written as.

    Raises:
        StatusError: 406, for what has no frames (YAML) or is no single object (PartialObjectMetadataList).
    """
    wanted = negotiate(accept)
    if wanted.format not in STREAM_TYPES or wanted.view is View.METADATA_LIST:
        raise errors.not_acceptable(tuple(STREAM_TYPES.values()))
    return wanted


@lru_cache(maxsize=256)
def negotiate_plain(accept: str, formats: tuple[Format, ...] = tuple(Format)) -> Wanted:
    """What to answer with where there are no views (discovery, version, errors).

    Raises:
        StatusError: 406, when no clause names one of `formats`.
    """
    if not accept:
        return Wanted(formats[0])
    for clause in parse_accept(accept):
        chosen = _FORMATS.get(clause.media_type)
        if chosen in formats and "as" not in clause.parameters:
            return Wanted(chosen, pretty=clause.parameters.get("pretty") == "1")
    raise errors.not_acceptable([form.value for form in formats])


def status_format(accept: str) -> Wanted:
    """How an error is written: as the client wants its objects, and JSON where that is impossible."""
    try:
        wanted = negotiate(accept)
    except errors.StatusError:
        return Wanted(Format.JSON)
    return Wanted(wanted.format, pretty=wanted.pretty)


@lru_cache(maxsize=64)
def content_format(content_type: str) -> Format:
    """The format of a request's body; JSON when the client does not say.

    Raises:
        StatusError: 415, for a media type no body can have.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if not media_type:
        return Format.JSON
    if media_type not in FORMAT_NAMES:
        raise errors.unsupported_media_type(FORMAT_NAMES)
    return _FORMATS[media_type]
