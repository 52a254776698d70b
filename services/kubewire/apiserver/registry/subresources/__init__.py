"""Subresources that are no part of the object they belong to: they exchange a message of their own, or act.

Parts of an object (status, approval ...) are ordinary updates and are not here; `table.py` lists what is.
"""
