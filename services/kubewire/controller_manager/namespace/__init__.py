"""Namespaces that are deleted: first all that is in them goes, then they do."""
