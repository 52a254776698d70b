"""The API server with its bounds made small, so that in seconds happens what otherwise takes minutes.

Watchers fall behind after some dozen events, histories end after a hundred, bookmarks come several times a second:
all the paths behind those bounds run in every run. When asked for by name, a defect is put in (`defects.py`).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from kubewire.apiserver import app
from kubewire.apiserver import main as apiserver
from kubewire.apiserver.cache import history, kind, watch_cache, watchers
from kubewire.apiserver.cache.options import CacheOptions
from tests.robustness.defects import DEFECTS, put_in

MAX_BEHIND_BYTES: Final = 32 << 10
MAX_EVENTS: Final = 120
OPTIONS: Final = CacheOptions(bookmark_seconds=0.2, history_seconds=1.6, backlog_revisions=40, page_size=7)


def main(defect: str = "") -> None:
    """Run as `kubewire-apiserver` does."""
    put_in(watchers, "MAX_BEHIND_BYTES", MAX_BEHIND_BYTES)
    put_in(kind, "History", partial(history.History, max_events=MAX_EVENTS))
    put_in(app, "WatchCache", partial(watch_cache.WatchCache, options=OPTIONS))
    if defect:
        DEFECTS[defect]()
    apiserver.main()
