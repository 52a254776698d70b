"""Statuses in every format."""

import orjson
import pytest
import yaml

from kubewire.api.meta.v1.status_pb2 import Status
from kubewire.api.runtime.runtime_pb2 import Unknown
from kubewire.apiserver.encoding.media import Format, Wanted
from kubewire.apiserver.encoding.statuses import created_body, deleted_body, error_body
from kubewire.machinery import errors
from kubewire.machinery.gvk import GroupResource
from tests.unit.apiserver.encoding.samples import config_map

JSON = Wanted(Format.JSON)
ERROR = errors.not_found(GroupResource("", "pods"), "x")


def test_errors_in_every_format() -> None:
    """The same Status, however it is written."""
    plain = orjson.loads(error_body(ERROR, JSON))
    assert plain == ERROR.to_json()
    assert yaml.safe_load(error_body(ERROR, Wanted(Format.YAML))) == plain
    assert orjson.loads(error_body(ERROR, Wanted(Format.JSON, pretty=True))) == plain
    unknown = Unknown.FromString(error_body(ERROR, Wanted(Format.PROTOBUF))[4:])
    assert (unknown.typeMeta.kind, Status.FromString(unknown.raw).reason) == ("Status", "NotFound")


def test_deletions_name_what_is_gone() -> None:
    """Name, resource and uid of the deleted object."""
    assert orjson.loads(deleted_body(config_map("a"), JSON)) == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {"name": "a", "kind": "configmaps", "uid": "uid-a"},
    }


@pytest.mark.parametrize("form", list(Format))
def test_bindings_are_answered_with_success(form: Format) -> None:
    """In the format that was asked for."""
    data = created_body(Wanted(form))
    assert b"Success" in data
    if form is Format.JSON:
        assert orjson.loads(data)["code"] == 201
