"""Objects written as the registry writes them: from JSON through defaults and the kind's strategy to JSON."""

from google.protobuf.message import Message

from kubewire.apiserver.contracts import Identity
from kubewire.apiserver.defaults.table import apply_defaults
from kubewire.apiserver.strategy.contracts import WriteContext
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.apiserver.strategy.table import strategy_for
from kubewire.machinery.codec.decode import decode
from kubewire.machinery.codec.encode import to_dict
from kubewire.machinery.json_value import JsonObject, JsonValue
from kubewire.machinery.messages import message_class
from tests.unit.apiserver.validation.objects import Change, merged, resource_of

AUTHOR = Identity("author", "author-uid", ("system:authenticated",))
CONTEXT = WriteContext(now_seconds=1_000, identity=AUTHOR)
LATER = WriteContext(now_seconds=2_000, identity=AUTHOR)


def message_of(kind: str, value: JsonValue) -> Message:
    """An object after defaults."""
    resource = resource_of(kind)
    assert isinstance(value, dict)
    message = decode(value, message_class(resource.message))
    apply_defaults(resource, message)
    return message


def created(kind: str, value: JsonObject) -> Message:
    """A new object as it is stored, with what the registry gives it."""
    message = message_of(kind, value)
    meta = metadata_of(message)
    meta.name, meta.uid = meta.name or "x", "u"
    strategy_for(resource_of(kind)).prepare_create(message, CONTEXT)
    return message


def updated(kind: str, old: Message, change: Change, via: str = "") -> Message:
    """A stored object after an update, of itself or through a subresource."""
    new = message_of(kind, merged(to_dict(old), change))
    strategy = strategy_for(resource_of(kind))
    way = strategy.subresources[via] if via else strategy
    way.prepare_update(new, old, LATER)
    return new


def at(message: Message, path: str) -> JsonValue:
    """What lies at a dotted path of the object's JSON; None if nothing does."""
    value: JsonValue = to_dict(message)
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = value.get(step)
    return value


def generation(message: Message) -> int:
    """The generation; 0 if there is none."""
    return metadata_of(message).generation
