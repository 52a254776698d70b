"""Caches that follow the API server.

`cache` holds objects and indexes, `informer` keeps it up to date and tells handlers, `shared` gives a process one
informer a kind, and `mutation` finds who changes what is read-only.
"""
