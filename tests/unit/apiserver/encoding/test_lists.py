"""Pages in every form, whole however they are cut into pieces."""

from typing import Any, cast

import orjson
import pytest

from kubewire.api.core.v1.config_map_pb2 import ConfigMapList
from kubewire.api.meta.v1.object_meta_pb2 import PartialObjectMetadataList
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding import lists
from kubewire.apiserver.encoding.lists import ListForms
from kubewire.apiserver.encoding.media import Format, View, Wanted
from kubewire.apiserver.encoding.memory import FormMemory
from kubewire.apiserver.encoding.objects import ObjectForms
from kubewire.apiserver.item import Page
from tests.unit.apiserver.encoding.samples import CONFIG_MAPS, PODS, config_map, pod

NOW = 200.0
JSON, PROTOBUF = Wanted(Format.JSON), Wanted(Format.PROTOBUF)
TABLE = Wanted(Format.JSON, View.TABLE, "v1")


def body(page: Page, wanted: Wanted, shows: str = "Metadata") -> bytes:
    """The whole list of config maps."""
    return b"".join(ListForms(ObjectForms(FormMemory())).pieces(CONFIG_MAPS, page, wanted, shows, NOW))


def document(page: Page, wanted: Wanted, shows: str = "Metadata") -> dict[str, Any]:
    """The same, decoded."""
    return cast("dict[str, Any]", orjson.loads(body(page, wanted, shows)))


def page_of(count: int) -> Page:
    """A last page."""
    return Page([config_map(f"c{number:04}", k="v" * 100) for number in range(count)], 99)


def names(found: list[dict[str, Any]]) -> list[str]:
    """Names of listed objects."""
    return [item["metadata"]["name"] for item in found]


@pytest.mark.parametrize("piece_bytes", [1, 1000, 10**9])
def test_json_lists_are_whole_however_they_are_cut(piece_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces joined give one JSON document; items come without kind and version."""
    monkeypatch.setattr(lists, "PIECE_BYTES", piece_bytes)
    found = document(page_of(5), JSON)
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert found["metadata"] == {"resourceVersion": "99"}
    assert names(found["items"]) == ["c0000", "c0001", "c0002", "c0003", "c0004"]
    assert "kind" not in found["items"][0]


def test_long_lists_come_in_pieces() -> None:
    """No piece is much larger than the aim."""
    pieces = list(ListForms(ObjectForms(FormMemory())).pieces(CONFIG_MAPS, page_of(3000), JSON, "", NOW))
    assert len(pieces) > 3
    assert max(map(len, pieces)) < 2 * lists.PIECE_BYTES


@pytest.mark.parametrize(
    "wanted", [JSON, TABLE, Wanted(Format.JSON, View.METADATA_LIST, "v1"), JSON._replace(pretty=True)]
)
def test_empty_lists_are_lists(wanted: Wanted) -> None:
    """An empty page is an empty list, not null."""
    found = document(Page([], 3), wanted)
    assert found.get("items", found.get("rows")) == []


def test_pages_say_how_to_go_on() -> None:
    """Continue token and remaining items stand in the metadata, in JSON and in protobuf."""
    page = Page([config_map("a")], 99, continue_token="token", remaining=7)
    expected = {"resourceVersion": "99", "continue": "token", "remainingItemCount": 7}
    assert document(page, JSON)["metadata"] == expected
    assert document(page, TABLE)["metadata"] == expected
    raw = Unknown.FromString(body(page, PROTOBUF)[4:]).raw
    metadata = ConfigMapList.FromString(raw).metadata
    assert (metadata.resourceVersion, getattr(metadata, "continue"), metadata.remainingItemCount) == ("99", "token", 7)


@pytest.mark.parametrize("piece_bytes", [1, 10**9])
def test_protobuf_lists_are_the_stored_bytes(piece_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Items are joined as they are, in an envelope that names the list's kind."""
    monkeypatch.setattr(lists, "PIECE_BYTES", piece_bytes)
    unknown = Unknown.FromString(body(page_of(5), PROTOBUF)[4:])
    assert unknown.typeMeta.kind == "ConfigMapList"
    assert [item.metadata.name for item in ConfigMapList.FromString(unknown.raw).items][4] == "c0004"


def test_pretty_lists_are_indented() -> None:
    """Two spaces a level, as if the whole had been written at once."""
    page = page_of(2)
    plain = document(page, JSON)
    expected = orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    assert body(page, JSON._replace(pretty=True)) == expected


def test_metadata_lists() -> None:
    """Every item says that it is metadata only."""
    found = document(page_of(2), Wanted(Format.JSON, View.METADATA_LIST, "v1"))
    assert found["kind"] == "PartialObjectMetadataList"
    assert [item["kind"] for item in found["items"]] == ["PartialObjectMetadata"] * 2
    assert "data" not in found["items"][0]
    raw = Unknown.FromString(body(page_of(2), Wanted(Format.PROTOBUF, View.METADATA_LIST, "v1"))[4:]).raw
    assert [item.metadata.name for item in PartialObjectMetadataList.FromString(raw).items] == ["c0000", "c0001"]


def test_tables_fill_in_ages() -> None:
    """Columns, cells, and the metadata of each row's object; ages are those of now."""
    found = document(page_of(2), TABLE)
    assert [column["name"] for column in found["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert found["rows"][1]["cells"] == ["c0001", 1, "2m20s"]
    assert found["rows"][1]["object"]["metadata"]["name"] == "c0001"


def test_ages_are_not_kept_with_rows() -> None:
    """The same kept row shows another age later, wherever in a cell it stands."""
    status = """status { containerStatuses { restartCount: 2
        lastState { terminated { finishedAt { seconds: 100 } } } } }"""
    item = pod("p", "metadata { creationTimestamp { seconds: 60 } }" + status)
    made = ListForms(ObjectForms(FormMemory()))

    def cells(now: float) -> list[object]:
        found = orjson.loads(b"".join(made.pieces(PODS, Page([item], 1), TABLE, "Metadata", now)))
        return cast("list[object]", found["rows"][0]["cells"][3:5])

    assert cells(110.0) == ["2 (10s ago)", "50s"]
    assert cells(200.0) == ["2 (100s ago)", "2m20s"]


def test_rows_carry_what_is_asked_for() -> None:
    """The whole object, its metadata, or nothing."""
    page = Page([config_map("a", k="v")], 1)
    assert document(page, TABLE, "None")["rows"][0]["object"] is None
    shown = document(page, TABLE, "Object")["rows"][0]["object"]
    assert (shown["kind"], shown["data"]) == ("ConfigMap", {"k": "v"})
    beta = document(page, TABLE._replace(view_version="v1beta1"))
    assert beta["apiVersion"] == beta["rows"][0]["object"]["apiVersion"] == "meta.k8s.io/v1beta1"


def test_authors_cannot_place_marks() -> None:
    """A zero byte in an object's text is text; it does not shift the ages of others."""
    item = config_map("a", k="\x0077\x00")
    found = document(Page([item, config_map("b")], 1), TABLE, "Object")
    assert [row["cells"][2] for row in found["rows"]] == ["2m20s", "2m20s"]
    assert found["rows"][0]["object"]["data"]["k"] == "\x0077\x00"
