"""Creating one object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubewire.apiserver.registry import pipeline
from kubewire.apiserver.registry.write import begin

if TYPE_CHECKING:
    from kubewire.apiserver.contracts import Body, Call, Written
    from kubewire.apiserver.options import WriteOptions
    from kubewire.apiserver.registry.core import Core


async def create(core: Core, call: Call, body: Body, options: WriteOptions) -> Written:
    """Pass a new object through the pipeline."""
    write = begin(core, call, "create", options)
    write.body = body
    await pipeline.create(write)
    return write.result
