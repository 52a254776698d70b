"""How the client logs: through the standard library, a constant message and keys.

The keys ride in a field of the record that `kubewire.component.log` prints; other handlers see the message alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NAME: Final = "kubewire.client"


def keys(**fields: object) -> Mapping[str, object]:
    """`extra` of a log call."""
    return {"kubewire_keys": fields}
