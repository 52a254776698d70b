"""Accept headers are matched by Kubernetes' rules."""

import pytest

from kubewire.apiserver.encoding.media import (
    Format,
    View,
    Wanted,
    content_format,
    negotiate,
    negotiate_plain,
    status_format,
)
from kubewire.machinery.errors import StatusError

KUBECTL = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
PROTOBUF = "application/vnd.kubernetes.protobuf"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", Wanted(Format.JSON)),
        ("*/*", Wanted(Format.JSON)),
        ("application/*", Wanted(Format.JSON)),
        ("text/html, */*;q=0.1", Wanted(Format.JSON)),
        ("application/yaml", Wanted(Format.YAML)),
        (PROTOBUF, Wanted(Format.PROTOBUF)),
        (f"{PROTOBUF},application/json", Wanted(Format.PROTOBUF)),
        (f"{PROTOBUF};stream=watch", Wanted(Format.PROTOBUF)),
        ("application/json;q=0.5, application/yaml;q=0.9", Wanted(Format.YAML)),
        ("*/*, application/yaml", Wanted(Format.YAML)),
        ("application/json; pretty=1", Wanted(Format.JSON, pretty=True)),
        (KUBECTL, Wanted(Format.JSON, View.TABLE, "v1")),
        (
            "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
            Wanted(Format.JSON, View.METADATA, "v1"),
        ),
        (
            f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
            Wanted(Format.PROTOBUF, View.METADATA_LIST, "v1"),
        ),
        # What cannot be served is passed over for the next alternative.
        (f"{PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json", Wanted(Format.JSON)),
        ("application/json;as=Table;g=meta.k8s.io;v=v9,application/yaml", Wanted(Format.YAML)),
        ("application/cbor,application/json", Wanted(Format.JSON)),
    ],
)
def test_the_first_clause_that_can_be_served_wins(accept: str, wanted: Wanted) -> None:
    """By quality, then as given; what is named goes before wildcards."""
    assert negotiate(accept) == wanted


@pytest.mark.parametrize("accept", ["text/html", "application/json;as=Nothing;g=meta.k8s.io;v=v1", "application/cbor"])
def test_nothing_that_fits_is_406(accept: str) -> None:
    """The error lists what can be had; the error itself is then written as JSON."""
    with pytest.raises(StatusError) as raised:
        negotiate(accept)
    assert raised.value.code == 406
    assert raised.value.message == (
        "only the following media types are accepted: "
        "application/json, application/yaml, application/vnd.kubernetes.protobuf"
    )
    assert status_format(accept) == Wanted(Format.JSON)


def test_errors_have_no_view() -> None:
    """A client that wants tables gets its errors as plain objects of the same format."""
    assert status_format(KUBECTL) == Wanted(Format.JSON)
    assert status_format(PROTOBUF) == Wanted(Format.PROTOBUF)


def test_documents_without_views() -> None:
    """Where there are no views, clauses that ask for one are passed over; formats may be few."""
    assert negotiate_plain(f"application/json;as=APIGroupDiscoveryList,{PROTOBUF}").format is Format.PROTOBUF
    assert negotiate_plain("*/*", (Format.JSON,)).format is Format.JSON
    with pytest.raises(StatusError, match=r"accepted: application/json$"):
        negotiate_plain(PROTOBUF, (Format.JSON,))


def test_bodies_are_json_unless_they_say_otherwise() -> None:
    """Parameters are ignored, other media types are a 415."""
    assert content_format("") is Format.JSON
    assert content_format("Application/JSON; charset=utf-8") is Format.JSON
    assert content_format(PROTOBUF) is Format.PROTOBUF
    with pytest.raises(StatusError) as raised:
        content_format("text/plain")
    assert raised.value.code == 415
