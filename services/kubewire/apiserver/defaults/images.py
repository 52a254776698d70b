"""When an image is pulled, as its reference suggests: `latest` may change any time, other tags should not."""

from __future__ import annotations

import re
from functools import lru_cache

_DOMAIN = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::(?P<tag>\w[\w.-]{{0,127}}))?"
    r"(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
).fullmatch


@lru_cache(1024)
def default_pull_policy(image: str) -> str:
    """`Always` when the tag is `latest`, given or implied; a malformed reference has no tag."""
    reference = _REFERENCE(image)
    if reference is None:
        return "IfNotPresent"
    tag = reference["tag"]
    is_latest = tag == "latest" or (tag is None and reference["digest"] is None)
    return "Always" if is_latest else "IfNotPresent"
