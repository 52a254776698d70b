"""How a server says that a call with streams has begun: by a header that a refusal does not have."""

from typing import Final

ACCEPTED: Final = "kubewire-accepted"
