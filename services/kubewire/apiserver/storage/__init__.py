"""Where objects are kept: one guarded write at a time, pages at a revision, changes in order.

`store.py` is the seam and `errors.py` what it raises; `etcd.py` is what runs and `memory.py` what tests use.
Both pass the suite in tests/conformance/storage.
"""
