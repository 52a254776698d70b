"""One object as a whole body, in whatever form it was asked for."""

from __future__ import annotations

from typing import Final

from kubewire.apiserver.encoding.lists import ListForms, list_metadata, table_opening
from kubewire.apiserver.encoding.media import Format, View, Wanted
from kubewire.apiserver.encoding.objects import PARTIAL, ObjectForms, pretty
from kubewire.apiserver.encoding.table.rows import Ages
from kubewire.apiserver.encoding.yaml_text import to_yaml
from kubewire.apiserver.item import Item, Page
from kubewire.machinery.errors import Reason, StatusError

_PLAIN_JSON: Final = Wanted(Format.JSON)


class SingleForms:
    """Writes bodies of one object."""

    def __init__(self, objects: ObjectForms, lists: ListForms) -> None:
        self._objects = objects
        self._lists = lists

    def body(self, item: Item, wanted: Wanted, shows: str, now_seconds: float) -> bytes:
        """The object.

        Raises:
            StatusError: 406, when a list was asked for.
        """
        if wanted == _PLAIN_JSON:
            return self._objects.json(item)
        if wanted.format is Format.PROTOBUF:
            return self._protobuf(item, wanted)
        data = self._json(item, wanted, shows, now_seconds)
        if wanted.format is Format.YAML:
            return to_yaml(data)
        return pretty(data) if wanted.pretty else data

    def _protobuf(self, item: Item, wanted: Wanted) -> bytes:
        if wanted.view is View.METADATA_LIST:
            raise _no_list(item)
        if wanted.view is View.METADATA:
            return self._objects.partial_protobuf(item, wanted.view_version)
        return self._objects.protobuf(item)

    def _json(self, item: Item, wanted: Wanted, shows: str, now_seconds: float) -> bytes:
        match wanted.view:
            case View.TABLE:
                return self._table(item, wanted.view_version, shows, now_seconds)
            case View.METADATA:
                return self._objects.partial_json(item, wanted.view_version) + b"\n"
            case View.METADATA_LIST:
                raise _no_list(item)
        return self._objects.json(item)

    def _table(self, item: Item, version: str, shows: str, now_seconds: float) -> bytes:
        columns = self._objects.kinds.of(item.resource).columns
        opening = table_opening(version, list_metadata(Page([item], item.revision)), columns)
        row = self._lists.row_maker(version, shows)(item)
        return Ages(now_seconds).fill(b"%b%b]}\n" % (opening, row))


def _no_list(item: Item) -> StatusError:
    kind = item.resource.kind
    why = f"you requested {PARTIAL}List, but the requested object is not a list ({kind})"
    return StatusError(406, Reason.NOT_ACCEPTABLE, why)


def refuse_single(kind: str) -> StatusError:
    """The error for a list that was asked for as one object's metadata."""
    why = f"you requested {PARTIAL}, but the requested object is a list ({kind}List)"
    return StatusError(406, Reason.NOT_ACCEPTABLE, why)
