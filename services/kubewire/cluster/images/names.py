"""The names of images that are built here. `localhost/` is nobody's registry: they are never looked for elsewhere."""

from __future__ import annotations

SANDBOX_IMAGE = "localhost/kubewire/pause:1"
DEMO_IMAGE = "localhost/kubewire/demo:1"
