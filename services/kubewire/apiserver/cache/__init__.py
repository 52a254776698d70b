"""The watch cache: one watch over `/registry/`, per-kind objects and histories, and every read served from them.

    changes (storage) -> ingest -> KindCache: items, history -> groups of watchers
                                      ^ barrier: wait until what is stored has been seen

`cache.py` joins the parts and does the I/O; everything that decides (history, undo, selection, tokens) is pure.
"""
