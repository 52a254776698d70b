"""Both directions of the codec agree with what a Kubernetes release wrote, byte for byte where bytes are decided."""

import orjson
import pytest

from kubewire.machinery.codec.decode import FieldValidation, decode
from kubewire.machinery.codec.encode import encode, encode_raw, to_dict
from kubewire.machinery.codec.envelope import unwrap, wrap
from kubewire.machinery.codec.stored_form import restore
from kubewire.machinery.codec.yaml_reader import decode_yaml
from kubewire.machinery.codec.yaml_writer import encode_yaml
from kubewire.machinery.gvk import GroupVersionKind
from kubewire.machinery.messages import message_class
from tests.conformance.wire.fixtures import ALL, FULL, SPARSE, Fixture, compacted, message_name, requests

every = pytest.mark.parametrize("fixture", ALL, ids=lambda fixture: fixture.name)


def test_the_fixtures_are_there() -> None:
    """Fifty full and thirty sparse objects."""
    assert (len(FULL), len(SPARSE), len(requests())) == (50, 30, 30)


@every
def test_stock_bytes_survive_a_message(fixture: Fixture) -> None:
    """Parsing and serializing gives the same bytes: no field is unknown, none is missing."""
    assert fixture.message_type.FromString(fixture.raw).SerializeToString(deterministic=True) == fixture.raw


@every
def test_the_envelope_is_taken_apart_and_put_together(fixture: Fixture) -> None:
    """An envelope of ours is a stock server's, byte for byte."""
    meta = fixture.unknown.typeMeta
    assert unwrap(fixture.stored) == (meta.apiVersion, meta.kind, fixture.raw)
    if meta.kind:
        assert wrap(fixture.raw, meta.apiVersion, meta.kind) == fixture.stored


@every
def test_json_is_a_stock_servers_byte_for_byte(fixture: Fixture) -> None:
    """The same members in the same order: which empty values appear, inlined and renamed fields, texts of values."""
    want = compacted(fixture.value)
    assert encode_raw(fixture.raw, fixture.message, fixture.gvk) == want
    assert encode(fixture.message_type.FromString(fixture.raw), fixture.gvk) == want


@every
def test_json_is_read_as_what_the_bytes_say(fixture: Fixture) -> None:
    """JSON and protobuf of an object become the same message, and the same bytes."""
    decoded = decode(fixture.document, fixture.message_type, validation=FieldValidation.STRICT)
    restored = fixture.message_type.FromString(fixture.raw)
    restore(restored)
    assert decoded == restored
    assert decoded.SerializeToString(deterministic=True) == restored.SerializeToString(deterministic=True)


@every
def test_the_stored_form_says_the_same(fixture: Fixture) -> None:
    """Leaving out what is empty changes nothing of the JSON: a stock server would read the same."""
    stored = decode(fixture.document, fixture.message_type)
    assert encode(stored, fixture.gvk) == compacted(fixture.value)
    assert len(stored.SerializeToString()) <= len(fixture.raw)


@every
def test_values_and_yaml_say_the_same_as_text(fixture: Fixture) -> None:
    """JSON values are read as their text is, and survive YAML."""
    stored = decode(fixture.document, fixture.message_type)
    assert decode(fixture.value, fixture.message_type) == stored
    assert decode_yaml(encode_yaml(fixture.value)) == [fixture.value]
    assert to_dict(stored, fixture.gvk) == fixture.value


@pytest.mark.parametrize("fixture", SPARSE, ids=lambda fixture: fixture.name)
def test_a_resource_version_is_appended(fixture: Fixture) -> None:
    """A second metadata field with nothing but a version changes the version and nothing else."""
    metadata = fixture.value["metadata"]
    assert isinstance(metadata, dict)
    want = {**fixture.value, "metadata": {**metadata, "resourceVersion": "987654"}}
    appended = fixture.raw + b"\x0a\x08\x32\x06987654"
    assert encode_raw(appended, fixture.message, fixture.gvk) == compacted(want)


@pytest.mark.parametrize(("name", "document"), requests().items(), ids=requests())
def test_a_request_is_read_and_shown_again(name: str, document: bytes) -> None:
    """What a client posts is all there again in the JSON of what was read."""
    posted = orjson.loads(document)
    message_type = message_class(message_name_of(posted))
    shown = to_dict(decode(document, message_type, validation=FieldValidation.STRICT))
    assert_within(canonical_quantities({**posted, "kind": None, "apiVersion": None}), shown, name)


def message_name_of(value: dict[str, str]) -> str:
    """The message of a manifest."""
    return message_name(GroupVersionKind.from_api_version(value["apiVersion"], value["kind"]))


def canonical_quantities(value: object) -> object:
    """Amounts as a server writes them."""
    if isinstance(value, dict):
        return {key: canonical_quantities(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical_quantities(item) for item in value]
    return "500m" if value == "0.5" else value


def assert_within(part: object, whole: object, path: str) -> None:
    """Every value of `part` stands in `whole` at the same place; an empty string may be left out."""
    if isinstance(part, dict):
        assert isinstance(whole, dict), path
        for key, item in part.items():
            if item is not None:
                assert_within(item, whole.get(key), f"{path}.{key}")
    elif isinstance(part, list):
        assert isinstance(whole, list), path
        assert len(part) == len(whole), path
        for index, item in enumerate(part):
            assert_within(item, whole[index], f"{path}[{index}]")
    else:
        assert part == (whole or ("" if part == "" else whole)), path
