"""One write on its way through the pipeline: what was asked, and what the steps have made of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from google.protobuf.message import Message

from kubewire.apiserver.contracts import Body, Call, Written
from kubewire.apiserver.options import WriteOptions
from kubewire.apiserver.registry.core import Core
from kubewire.apiserver.registry.kinds import Kind
from kubewire.apiserver.strategy.contracts import UpdateStrategy, WriteContext
from kubewire.apiserver.strategy.metadata import metadata_of
from kubewire.machinery.managed_fields.update import manager_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubewire.api.meta.v1.object_meta_pb2 import ObjectMeta
    from kubewire.apiserver.item import Item


_LOOKED_AT: Final = 512
"""Characters of a user agent that matter: what is remembered must stay small, whatever clients send."""


@dataclass(slots=True)
class Write:
    """A create or an update of one object.

    Attributes:
        verb: create, update, patch or apply.
        body: of a create, what is still to be decoded.
        obj: the object that is being written; the steps change it in place.
        old: the object as it is stored (never changed), and `found` its item; None where there is none.
        change: for updates, makes the new object from the old one (None if there is none); may be asked again.
        updating: how the way of updating (the object, its status ...) treats the object.
        warnings: of the attempt that is under way; the caller gets those of the one that succeeds.
        is_name_generated: the name was made here, so that another one would do as well.
        is_defaulted: the decoder knew the spec, and took it with its defaults.
        spec_key: by which the spec is to be remembered once it has its defaults; empty if it is not.
        result: what is answered.
    """

    core: Core
    call: Call
    kind: Kind
    verb: str
    options: WriteOptions
    ctx: WriteContext
    manager: str
    body: Body | None = None
    obj: Message = field(init=False)
    old: Message | None = None
    found: Item | None = None
    change: Callable[[Write], Message] = field(init=False)
    updating: UpdateStrategy = field(init=False)
    warnings: list[str] = field(default_factory=list)
    validated_seconds: float = 0.0
    is_name_generated: bool = False
    is_defaulted: bool = False
    spec_key: bytes = b""
    result: Written = field(init=False)

    @property
    def meta(self) -> ObjectMeta:
        """The metadata of the object that is being written."""
        return metadata_of(self.obj)


def begin(core: Core, call: Call, verb: str, options: WriteOptions) -> Write:
    """A write as it enters the pipeline."""
    ctx = WriteContext(now_seconds=int(core.clock()), identity=call.identity)
    manager = name_of_manager(options.field_manager, call.user_agent)
    return Write(core, call, core.kinds.of(call.resource), verb, options, ctx, manager)


def name_of_manager(field_manager: str, user_agent: str) -> str:
    """As `manager_name`. Clients are few and send the same over and over, so names are remembered."""
    return field_manager or _name_of_client(user_agent.partition("/")[0][:_LOOKED_AT])


@lru_cache(maxsize=1024)
def _name_of_client(first_word: str) -> str:
    return manager_name("", first_word)
