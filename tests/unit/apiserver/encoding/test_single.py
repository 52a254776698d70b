"""Single objects as bodies."""

from typing import Any, cast

import orjson
import pytest
import yaml

from kubewire.apiserver.encoding.lists import ListForms
from kubewire.apiserver.encoding.media import Format, View, Wanted
from kubewire.apiserver.encoding.memory import FormMemory
from kubewire.apiserver.encoding.objects import ObjectForms
from kubewire.apiserver.encoding.single import SingleForms, refuse_single
from kubewire.machinery.errors import StatusError
from tests.unit.apiserver.encoding.samples import config_map


def body(wanted: Wanted, shows: str = "Metadata") -> bytes:
    """A config map, at second 200."""
    objects = ObjectForms(FormMemory())
    return SingleForms(objects, ListForms(objects)).body(config_map("a", k="v"), wanted, shows, 200.0)


def test_json_yaml_and_pretty_json_say_the_same() -> None:
    """They differ in their text alone."""
    plain = orjson.loads(body(Wanted(Format.JSON)))
    assert orjson.loads(body(Wanted(Format.JSON, pretty=True))) == plain
    assert yaml.safe_load(body(Wanted(Format.YAML))) == plain
    assert body(Wanted(Format.JSON, pretty=True)).startswith(b'{\n  "kind": "ConfigMap",\n')
    assert body(Wanted(Format.YAML)).startswith(b"apiVersion: v1\ndata:\n  k: v\nkind: ConfigMap\n")


def test_a_table_of_one_row() -> None:
    """With its columns, and the object's version."""
    table = cast("dict[str, Any]", orjson.loads(body(Wanted(Format.JSON, View.TABLE, "v1"))))
    assert table["metadata"] == {"resourceVersion": "5"}
    assert table["rows"][0]["cells"] == ["a", 1, "2m20s"]
    assert len(table["columnDefinitions"]) == 3


@pytest.mark.parametrize("form", [Format.JSON, Format.PROTOBUF])
def test_lists_and_objects_are_told_apart(form: Format) -> None:
    """An object asked for as a list of metadata is a 406, and so is a list asked for as an object's."""
    with pytest.raises(StatusError, match="the requested object is not a list") as raised:
        body(Wanted(form, View.METADATA_LIST, "v1"))
    assert (raised.value.code, raised.value.reason) == (406, "NotAcceptable")
    assert "is a list (PodList)" in refuse_single("Pod").message


def test_metadata() -> None:
    """The object's metadata in JSON and in protobuf."""
    found = orjson.loads(body(Wanted(Format.JSON, View.METADATA, "v1")))
    assert found["kind"] == "PartialObjectMetadata"
    assert b"PartialObjectMetadata" in body(Wanted(Format.PROTOBUF, View.METADATA, "v1"))
    assert body(Wanted(Format.PROTOBUF)).startswith(b"k8s\x00")
