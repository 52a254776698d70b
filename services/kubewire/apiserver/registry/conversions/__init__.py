"""Kinds that are served in several versions and stored in one: bytes of one version into bytes of another.

`table.py` lists every such kind. Most versions of a kind have the same wire layout, so that their bytes are the same.
"""
